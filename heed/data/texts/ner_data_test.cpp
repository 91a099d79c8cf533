#include "heed/data/texts/ner_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using text::TagScheme;

TEST(NerData, ColumnsJsonAndGzipAreTheSame) {
  const Written write;
  const std::string columns =
      "-DOCSTART- -X- O\r\n\r\nTim NNP B-PER\r\nCook NNP I-PER\r\n \r\n\r\nParis NNP B-LOC\r\n";
  const std::string tabs = "Tim\tB-PER\nCook\tI-PER\n\t\nParis\tB-LOC";
  const std::string json =
      "{\"tokens\": [\"Tim\", \"Cook\"], \"tags\": [\"B-PER\", \"I-PER\"]}\n\n"
      "{\"tokens\": [\"Paris\"], \"tags\": [\"B-LOC\"], \"id\": 2}\n";
  for (const auto& file : {write("a.conll", columns), write("b.conll", tabs),
                           write("c.jsonl", json), write.compressed("d.jsonl.gz", json)}) {
    DataReport report;
    const NerData data = read_ner(file, {}, report);
    ASSERT_TRUE(report.empty()) << file << report.text();
    EXPECT_EQ(data.scheme, TagScheme::kBio);
    EXPECT_THAT(data.types, ElementsAre("LOC", "PER"));
    ASSERT_EQ(data.sentences.size(), 2u) << file;
    EXPECT_THAT(data.sentences[0].words, ElementsAre("Tim", "Cook"));
    EXPECT_THAT(data.sentences[0].tags, ElementsAre("B-PER", "I-PER"));
    EXPECT_THAT(data.sentences[1].words, ElementsAre("Paris"));
  }
}

TEST(NerData, TypesThatLookAlikeAreOneType) {
  const Written write;
  const std::string composed = "B-caf\u00e9 bar";
  const std::string decomposed = "B-cafe\u0301\u00a0bar";
  const std::string columns =
      "Tim\t" + composed + "\n\nTom\t" + decomposed + "\nand\tO\nTam\t" + decomposed + "\n";
  const std::string json = "{\"tokens\": [\"Tim\"], \"tags\": [\"" + decomposed + "\"]}\n";
  DataReport report;
  const NerData data = read_ner(write("a.conll", columns), {}, report);
  EXPECT_THAT(data.types, ElementsAre("caf\u00e9 bar"));
  EXPECT_THAT(data.sentences.at(1).tags, ElementsAre(composed, "O", composed));
  EXPECT_EQ(report.count(ProblemKind::kLookAlike), 2);
  EXPECT_THAT(read_ner(write("b.jsonl", json), {}, report).types, ElementsAre("caf\u00e9 bar"));
  // As training fixed them.
  const NerData fixed =
      read_ner(write("a.conll", columns), {.types = {decomposed.substr(2)}}, report);
  EXPECT_THAT(fixed.sentences.at(0).tags, ElementsAre(decomposed));
  EXPECT_THAT(fixed.types, ElementsAre(decomposed.substr(2)));
  // As somebody's answers are measured.
  const NerData any =
      read_ner(write("a.conll", columns), {.tags = NerReadOptions::Tags::kAny}, report);
  EXPECT_THAT(any.types.size(), 2u);
}

TEST(NerData, SchemesAreToldAndConverted) {
  const Written write;
  DataReport report;
  const auto iob1 = write("a.conll", "A I-X\nB I-X\nC B-X\n");
  const NerData data = read_ner(iob1, {.convert_to = TagScheme::kBioes}, report);
  EXPECT_EQ(data.scheme, TagScheme::kBioes);
  EXPECT_THAT(data.sentences.at(0).tags, ElementsAre("B-X", "E-X", "S-X"));
  EXPECT_EQ(read_ner(iob1, {}, report).scheme, TagScheme::kIob1);
  EXPECT_EQ(read_ner(write("b.conll", "A S-X\n"), {}, report).scheme, TagScheme::kBioes);
  EXPECT_TRUE(report.empty()) << report.text();
  const auto faulty = write("d.conll", "A I-X\nB E-Y\nC x\n");
  EXPECT_THAT(read_ner(faulty, {.tags = NerReadOptions::Tags::kAny}, report).sentences.at(0).tags,
              ElementsAre("I-X", "E-Y", "x"));
  EXPECT_TRUE(report.empty()) << report.text();
  EXPECT_THROW(
      read_ner(faulty, {.convert_to = TagScheme::kBio, .tags = NerReadOptions::Tags::kAny}, report),
      UsageError);
  // Where nothing fits, BIO says what is wrong.
  EXPECT_EQ(
      read_ner(write("c.conll", "A I-X\n\nA B-X\nB I-Y\n\nA B-X\n"), {}, report).sentences.size(),
      1u);
  EXPECT_EQ(report.count(ProblemKind::kBadTag), 2);
}

TEST(NerData, FaultsHaveTheirLine) {
  struct Case {
    std::string content;
    ProblemKind kind;
    std::string message;
  };
  const Case cases[] = {
      {"A O\nB\n\nC O\n", ProblemKind::kColumnCount,
       "2: expected 2 columns as in the first row, found 1"},
      {"A x O\nB O\n\nC x O\n", ProblemKind::kColumnCount, "2: expected 3 columns"},
      {"C B-X\n\nA O\nB I-X\n", ProblemKind::kBadTag, "4: expected B-X or I-X before it"},
      {"C O\n\nA O\nB X\n", ProblemKind::kBadTag, "4: expected O, B-TYPE or I-TYPE"},
      {"C\tO\n\n\tO\n", ProblemKind::kMalformedRow, "3: expected a word in column 1"},
      {"C O\n\nA\xff O\n", ProblemKind::kNotUtf8, "3: byte 1 of the line"},
      {"\n\n", ProblemKind::kNoExamples, "expected at least one sentence"},
  };
  for (const Case& each : cases) {
    const Written write;
    DataReport report;
    const NerData data = read_ner(write("x.conll", each.content), {}, report);
    EXPECT_THAT(only(report, each.kind), HasSubstr(each.message)) << each.content;
    EXPECT_EQ(data.sentences.size(), each.kind == ProblemKind::kNoExamples ? 0u : 1u);
    EXPECT_THROW(report.throw_if_fatal(), DataError);
  }
  const Written write;
  for (const char* line : {"{\"tokens\": [\"A\"], \"tags\": []}", "{\"tokens\": [\"A\"]}",
                           "{\"tokens\": []}", "{\"tokens\": [\" \"]}", "[]", "{"}) {
    DataReport report;
    read_ner(write("x.jsonl", std::string(line) + "\n{\"tokens\":[\"A\"],\"tags\":[\"O\"]}"), {},
             report);
    EXPECT_THAT(only(report, ProblemKind::kMalformedRow), HasSubstr("1: ")) << line;
  }
  DataReport report;
  read_ner(write("y.conll", "A B-X\n\nB O\n"), {.types = {"Y"}}, report);
  EXPECT_THAT(only(report, ProblemKind::kUnknownLabel), HasSubstr("type \"Y\", found \"X\""));
  EXPECT_THROW(read_ner(write("y.conll", "A O"), {.word_column = 0}, report), UsageError);
  EXPECT_THROW(read_ner("/no/such/file", {}, report), MissingInputError);
}

TEST(NerData, TakesTheColumnOfWordsOfTraining) {
  const Written write;
  const auto file = write("a.conll", "1 Tim B-PER\n2 Cook I-PER\n");
  DataReport report;
  const NerData trained = read_ner(file, {.word_column = 2}, report);
  EXPECT_THAT(trained.sentences.at(0).words, ElementsAre("Tim", "Cook"));
  EXPECT_EQ(trained.word_column, std::optional<int64_t>(2));
  const NerReadOptions later = {.known_word_column = trained.word_column};
  EXPECT_THAT(read_ner(file, later, report).sentences.at(0).words, ElementsAre("Tim", "Cook"));
  NerReadOptions chosen = later;
  chosen.word_column = 1;
  EXPECT_THAT(read_ner(file, chosen, report).sentences.at(0).words, ElementsAre("1", "2"));
  EXPECT_FALSE(read_ner(file, {}, report).word_column.has_value());
  const auto json = write("a.jsonl", "{\"tokens\": [\"A\"], \"tags\": [\"B-PER\"]}\n");
  EXPECT_FALSE(read_ner(json, later, report).word_column.has_value());
  EXPECT_TRUE(report.empty()) << report.text();
  read_ner(write("b.conll", "Tim B-PER\n\n1 Tom B-PER\n"), later, report);
  EXPECT_THAT(only(report, ProblemKind::kColumnCount),
              HasSubstr("1: expected a word and its tag, in at least 3 columns, found 2; words in "
                        "column 2, as in training"));
}

TEST(NerData, TheColumnOfWordsIsANumber) {
  EXPECT_EQ(word_column_of("3"), std::optional<int64_t>(3));
  EXPECT_FALSE(word_column_of("").has_value());
  for (const char* wrong : {"0", "-1", "word", "1x", "99999999999999999999999"}) {
    EXPECT_THAT([&] { word_column_of(wrong); },
                ThrowsMessage<UsageError>(HasSubstr("--text-column: expected")));
  }
}

TEST(NerData, WithoutTags) {
  const Written write;
  DataReport report;
  const NerData data = read_ner(write("a", "A\nB x\n\nC y z\n"), {.labels = Labels::kNone}, report);
  EXPECT_TRUE(report.empty()) << report.text();
  ASSERT_EQ(data.sentences.size(), 2u);
  EXPECT_THAT(data.sentences[0].words, ElementsAre("A", "B"));
  EXPECT_THAT(data.sentences[0].tags, IsEmpty());
}

TEST(NerData, Wnut17) {
  if (!std::filesystem::exists(test::shared_data("wnut17")))
    GTEST_SKIP() << "../shared/data is missing";
  DataReport report;
  const NerData data = read_ner(test::shared_data("wnut17/wnut17train.conll"), {}, report);
  EXPECT_TRUE(report.empty()) << report.text();
  EXPECT_EQ(data.sentences.size(), 3394u);
  EXPECT_EQ(data.types.size(), 6u);
  EXPECT_EQ(read_ner(test::shared_data("wnut17/emerging.dev.conll"), {.types = data.types}, report)
                .sentences.size(),
            1009u);
  EXPECT_TRUE(report.empty()) << report.text();
}

TEST(NerData, ToldByContentAndFromSeveralFiles) {
  const Written write;
  DataReport report;
  const auto array =
      write("a.json", R"([{"tokens": ["Tim", "Cook"], "tags": ["B-PER", "I-PER"]}])");
  const auto columns = write("a.dat", "Paris\tB-LOC\nis\tO\n");
  const NerData data = read_ner(std::vector{array, columns}, {}, report);
  ASSERT_EQ(data.sentences.size(), 2u) << report.text();
  EXPECT_EQ(data.sentences[0].words.at(1), "Cook");
  EXPECT_THAT(data.types, testing::ElementsAre("LOC", "PER"));
  EXPECT_EQ(data.sentences[1].file, columns.string());
  NerData train = data;
  EXPECT_EQ(take_validation(train, 0.5, 1, report).sentences.size() + train.sentences.size(), 2u);
}

}  // namespace
}  // namespace heed::data
