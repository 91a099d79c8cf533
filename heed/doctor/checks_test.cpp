// The checks of checks.h, each on data that is broken on purpose, and all of them on sound data.
#include "heed/doctor/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"

namespace heed::doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Two classes in turns, no two texts nearly the same.
std::string sound(int count, int seed) {
  const char* words[] = {"river",  "stone",  "cloud",  "garden", "window", "letter", "summer",
                         "bridge", "engine", "mirror", "forest", "candle", "market", "silver"};
  std::string lines = "label\ttext\n";
  uint64_t state = static_cast<uint64_t>(seed);
  for (int i = 0; i < count; ++i) {
    lines += i % 2 == 0 ? "good\tlike" : "bad\thate";
    for (int k = 0; k < 6; ++k) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      lines += std::string(" ") + words[(state >> 33) % 14];
    }
    lines += '\n';
  }
  return lines;
}

class Doctor : public testing::Test {
 protected:
  Report examine(const std::string& train, const std::string& valid = "",
                 LengthOptions lengths = {}) {
    std::vector<SplitFiles> splits = {{"train", {files_("train.tsv", train)}}};
    if (!valid.empty()) splits.push_back({"valid", {files_("valid.tsv", valid)}});
    const Data data = read_samples(splits, DataTask::kAuto, {});
    Report report;
    check_reading(data, report);
    check_columns(splits, {}, report);
    check_duplicates(data, report);
    check_balance(data, report);
    check_lengths(data, lengths, report);
    check_characters(data, report);
    check_labels(data, report);
    return report;
  }

  // The one finding of `report`, which is of this check.
  static Finding only(const Report& report, const std::string& check) {
    if (report.findings.size() == 1 && report.findings[0].check == check) {
      return report.findings[0];
    }
    ADD_FAILURE() << "expected one finding of " << check << ", got\n" << report.text();
    return {};
  }

  data::Written files_;
};

TEST_F(Doctor, FindsNothingInSoundData) {
  const Report report = examine(sound(200, 1), sound(100, 2));
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_TRUE(report.go_on());
  EXPECT_THAT(report.text(), HasSubstr("nothing found: encoding, rows"));
  EXPECT_THAT(report.checked, SizeIs(17));
}

TEST_F(Doctor, StopsAtBytesThatAreNoText) {
  const Report report = examine(sound(60, 1) + "good\tcaf\xe9 noir\n");
  const Finding found = only(report, "encoding");
  EXPECT_EQ(found.severity, Severity::kStop);
  EXPECT_THAT(found.examples, ElementsAre(HasSubstr("train.tsv:62")));
  EXPECT_FALSE(report.go_on());
}

TEST_F(Doctor, TellsMissingValues) {
  const Report unlabelled = examine(sound(60, 1) + "\tno label here\n");
  ASSERT_THAT(unlabelled.findings, SizeIs(2)) << unlabelled.text();
  EXPECT_EQ(unlabelled.findings[0].check, "missing values");
  EXPECT_EQ(unlabelled.findings[0].severity, Severity::kStop);
  const Report report = examine(sound(60, 1) + "good\t \n");
  ASSERT_THAT(report.findings, SizeIs(2)) << report.text();
  EXPECT_EQ(report.findings[0].check, "missing values");
  EXPECT_THAT(report.findings[1].summary, HasSubstr("\"text\": empty in 1 of 61 rows (1.6 %)"));
}

TEST_F(Doctor, TellsConstantColumns) {
  std::string table = "label\ttext\tsource\n";
  const std::string rows = sound(60, 3);
  for (size_t at = rows.find('\n') + 1; at < rows.size();) {
    const size_t end = rows.find('\n', at);
    table += rows.substr(at, end - at) + "\tweb\n";
    at = end + 1;
  }
  const Finding found = only(examine(table), "columns");
  EXPECT_THAT(found.summary, HasSubstr("\"source\": the same in all 60 rows (\"web\")"));
  EXPECT_EQ(found.severity, Severity::kNote);
}

TEST_F(Doctor, TellsDuplicatesAndNearDuplicates) {
  const std::string text = "one sentence that stands here twice, but for its case and marks";
  EXPECT_THAT(
      only(examine(sound(60, 1) + "good\t" + text + "\ngood\tONE " + text.substr(4) + "!\n"),
           "duplicates")
          .summary,
      "train: 1 of 62 texts (1.6 %) stand before, but for case and punctuation");
  const Finding near = only(
      examine(sound(60, 1) + "good\t" + text + "\ngood\t" + text + " today\n"), "near duplicates");
  EXPECT_THAT(near.examples, ElementsAre(HasSubstr("train.tsv:63")));
}

TEST_F(Doctor, TellsOneTextUnderTwoLabels) {
  const std::string text = "a sentence about which two people do not agree at all";
  const Report report = examine(sound(60, 1) + "good\t" + text + "\nbad\t" + text + "\n");
  ASSERT_THAT(report.findings, SizeIs(2)) << report.text();
  EXPECT_EQ(report.findings[1].check, "one text under two labels");
  EXPECT_EQ(report.findings[1].severity, Severity::kWarning);
  const Report near = examine(sound(60, 1) + "good\t" + text + "\nbad\t" + text + " now\n");
  ASSERT_THAT(near.findings, SizeIs(2)) << near.text();
  EXPECT_THAT(near.findings[0].summary,
              HasSubstr("1 text stands, but for a few words, under different labels"));
  EXPECT_EQ(near.findings[0].severity, Severity::kNote);
}

TEST_F(Doctor, StopsAtLeaksBetweenSplits) {
  const std::string train = sound(200, 1);
  const std::string leak = train.substr(train.find('\n') + 1, 400);
  const std::string rows = leak.substr(0, leak.rfind('\n') + 1);
  const Finding found = only(examine(train, sound(60, 2) + rows), "leaks between splits");
  EXPECT_EQ(found.severity, Severity::kStop);
  EXPECT_THAT(found.examples[0], HasSubstr("train.tsv:2 and "));
  const std::string one = rows.substr(0, rows.find('\n') + 1);
  EXPECT_EQ(only(examine(train, sound(100, 2) + one), "leaks between splits").severity,
            Severity::kWarning);
  // Nearly the same, too.
  const std::string near = one.substr(0, one.size() - 1) + " x\n";
  EXPECT_THAT(only(examine(train, sound(100, 2) + near), "leaks between splits").summary,
              HasSubstr("almost the same in train"));
}

TEST_F(Doctor, TellsClassesOutOfBalance) {
  const Finding few =
      only(examine(sound(200, 1) + "odd\tone rare text of a class of its own\n"), "class balance");
  EXPECT_THAT(few.examples, ElementsAre("\"odd\": 1"));
  std::string moved = "label\ttext\n";
  const std::string rows = sound(400, 2);
  for (size_t at = rows.find('\n') + 1; at < rows.size();) {
    const size_t end = rows.find('\n', at) + 1;
    if (rows[at] == 'g' || at % 5 == 0) moved += rows.substr(at, end - at);
    at = end;
  }
  EXPECT_THAT(only(examine(sound(200, 1), moved), "class balance").summary,
              HasSubstr("another share"));
}

TEST_F(Doctor, StopsAtOneClass) {
  const Report report = examine("label\ttext\ngood\tone text\ngood\tanother one\n");
  EXPECT_FALSE(report.go_on());
  EXPECT_THAT(report.text(), HasSubstr("stop: class balance: every sample has the same label"));
}

TEST_F(Doctor, TellsLengthsAndWhatIsCut) {
  const Report report = examine(sound(60, 1), "", {.max_length = 6});
  EXPECT_THAT(only(report, "lengths").summary,
              HasSubstr("60 of 60 texts (100.0 %) are longer than 6 tokens; the longest has 7"));
  EXPECT_EQ(report.numbers["lengths"]["train"]["median"], 7);
  EXPECT_EQ(report.numbers["lengths"]["train"]["cut"], 60);
}

TEST_F(Doctor, TellsUnknownWords) {
  std::string valid = "label\ttext\n";
  for (int i = 0; i < 20; ++i) {
    valid += (i % 2 == 0 ? "good\tlike neu" : "bad\thate neu") + std::to_string(i) + " river x" +
             std::to_string(7 * i) + "\n";
  }
  const Report report = examine(sound(60, 1), valid);
  EXPECT_THAT(only(report, "unknown tokens").summary, HasSubstr("(50.0 %) are words"));
  EXPECT_DOUBLE_EQ(report.numbers["unknown"]["valid"].get<double>(), 0.5);
}

TEST_F(Doctor, TellsCharactersThatNobodySees) {
  const auto check_of = [&](const std::string& text) {
    const Report report = examine(sound(60, 1) + "good\t" + text + "\n");
    if (report.findings.size() > 1) return report.text();
    return report.findings.empty() ? std::string() : report.findings[0].check;
  };
  EXPECT_EQ(check_of("a zero\xe2\x80\x8bwidth space in a word"), "control characters");
  EXPECT_EQ(check_of("log in to p\xd0\xb0ypal here"), "look-alike characters");
  EXPECT_EQ(check_of("a caf\xc3\x83\xc2\xa9 in Paris"), "wrong decoding");
  EXPECT_EQ(check_of("bread &amp; butter"), "markup");
  // Sound: whole words of another alphabet, an accent, a family of emoji.
  EXPECT_EQ(check_of("\xd0\xbc\xd0\xb8\xd1\x80 means peace, caf\xc3\xa9, \xc2\xb5m"), "");
  EXPECT_EQ(check_of("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 here"), "");
}

TEST_F(Doctor, TellsLabelsThatAreSurelyWrong) {
  std::string rows = sound(600, 1);
  rows.replace(rows.find("good\tlike"), 9, "bad\tlike ");
  EXPECT_THAT(only(examine(rows), "surely wrong labels").examples,
              Contains(HasSubstr("train.tsv:2: \"bad\", more likely \"good\"")));
}

TEST(ReadSamples, TellsTheTask) {
  const data::Written files;
  const auto samples = [&](const char* name, const char* content) {
    return read_samples({{"train", {files(name, content)}}}, DataTask::kAuto, {});
  };
  const Data pairs = samples("pairs.tsv", "source\ttarget\none\teins\ntwo\tzwei\n");
  EXPECT_EQ(pairs.splits[0].samples.at(1).target, "zwei");
  const Data tagged = samples("a.conll", "Tim B-PER\nran O\n\nhe O\nran O\n");
  EXPECT_THAT(tagged.labels, ElementsAre("PER"));
  EXPECT_EQ(tagged.splits[0].samples.at(0).text, "Tim ran");
  const Data lines = samples("a.txt", "one line of text\nand another here\nthird line\n");
  EXPECT_EQ(lines.splits[0].samples.size(), 3U);
  EXPECT_THAT(lines.labels, IsEmpty());
}

}  // namespace
}  // namespace heed::doctor
