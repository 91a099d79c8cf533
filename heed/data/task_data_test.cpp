// The readers of single tasks: ner_data.h, parallel_data.h, question_data.h, text_data.h, and
// several labels a text of classification_data.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/data/ner_data.h"
#include "heed/data/parallel_data.h"
#include "heed/data/question_data.h"
#include "heed/data/text_data.h"
#include "heed/io/test_files.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using text::TagScheme;

class Written {
 public:
  std::filesystem::path operator()(std::string_view name, std::string_view content) const {
    test::spill(folder_ / name, content);
    return folder_ / name;
  }
  std::filesystem::path compressed(std::string_view name, std::string_view content) const {
    gzFile file = gzopen((folder_ / name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    return folder_ / name;
  }

 private:
  test::Folder folder_;
};

// "3: expected ...": the line and detail of the only problem of a kind.
std::string only(const DataReport& report, ProblemKind kind) {
  EXPECT_EQ(report.fatal_count() + report.warning_count(), 1) << report.text();
  if (report.examples(kind).size() != 1) return "none: " + report.text();
  const Problem& problem = report.examples(kind)[0];
  return problem.where.substr(problem.where.rfind(':') + 1) + ": " + problem.detail;
}

std::filesystem::path shared(const std::string& name) {
  const char* folder = std::getenv("HEED_SHARED_DATA");
  return std::filesystem::path(folder != nullptr ? folder : "../shared/data") / name;
}

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
  EXPECT_THAT(only(report, ProblemKind::kUnknownLabel), HasSubstr("type Y, found \"X\""));
  EXPECT_THROW(read_ner(write("y.conll", "A O"), {.word_column = 0}, report), UsageError);
  EXPECT_THROW(read_ner("/no/such/file", {}, report), MissingInputError);
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
  if (!std::filesystem::exists(shared("wnut17"))) GTEST_SKIP() << "../shared/data is missing";
  DataReport report;
  const NerData data = read_ner(shared("wnut17/wnut17train.conll"), {}, report);
  EXPECT_TRUE(report.empty()) << report.text();
  EXPECT_EQ(data.sentences.size(), 3394u);
  EXPECT_EQ(data.types.size(), 6u);
  EXPECT_EQ(
      read_ner(shared("wnut17/emerging.dev.conll"), {.types = data.types}, report).sentences.size(),
      1009u);
  EXPECT_TRUE(report.empty()) << report.text();
}

TEST(ParallelData, TwoFilesOrOne) {
  const Written write;
  const auto source = write("a.en", "one\r\ntwo\n\nfour\n");
  const auto target = write.compressed("a.de.gz", "eins\nzwei\ndrei\nvier");
  DataReport report;
  const ParallelData two = read_parallel({source, target}, {}, report);
  EXPECT_EQ(report.count(ProblemKind::kEmptyText), 1);
  EXPECT_EQ(report.fatal_count(), 0);
  ASSERT_EQ(two.pairs.size(), 3u);
  EXPECT_EQ(two.pairs[2].source, "four");
  EXPECT_EQ(two.pairs[2].target, "vier");
  EXPECT_EQ(two.pairs[2].line, 4);
  for (const auto& file :
       {write("b.tsv", "one\teins\ntwo\tzwei\n"), write("c.tsv", "id\ttgt\tsrc\n7\teins\tone\n"),
        write("d.jsonl", "{\"summary\": \"eins\", \"document\": \"one\"}\n"),
        write("e.csv", "source,target\none,eins\n")}) {
    DataReport one;
    const ParallelData data = read_parallel({file}, {}, one);
    EXPECT_TRUE(one.empty()) << one.text();
    EXPECT_EQ(data.pairs.at(0).source, "one") << file;
    EXPECT_EQ(data.pairs.at(0).target, "eins") << file;
  }
  DataReport alone;
  EXPECT_EQ(read_parallel({source}, {.targets = Labels::kNone}, alone).pairs.size(), 4u);
  const auto named = write("f.tsv", "x\ty\none\teins\n");
  EXPECT_EQ(read_parallel({named}, {.source_column = "y", .target_column = "1"}, alone)
                .pairs.at(0)
                .source,
            "eins");
  EXPECT_TRUE(alone.empty());
}

TEST(ParallelData, Faults) {
  const Written write;
  const auto three = write("a", "1\n2\n3\n");
  DataReport report;
  EXPECT_THAT(read_parallel({three, write("b", "1\n2\n")}, {}, report).pairs, IsEmpty());
  EXPECT_THAT(report.examples(ProblemKind::kLineCount).at(0).detail,
              AllOf(HasSubstr("expected 3 lines"), HasSubstr("found 2")));
  DataReport bad;
  const ParallelData data = read_parallel({three, write("c", "1\n\xff\n3\n")}, {}, bad);
  EXPECT_THAT(only(bad, ProblemKind::kNotUtf8), HasSubstr("2: "));
  EXPECT_EQ(data.pairs.at(1).source, "3");  // not paired with line 2
  EXPECT_EQ(data.pairs.at(1).target, "3");
  DataReport columns;
  read_parallel({write("d.tsv", "a\tb\nc\n")}, {}, columns);
  EXPECT_THAT(only(columns, ProblemKind::kColumnCount), HasSubstr("2: expected 2 columns"));
  DataReport json;
  read_parallel({write("e.jsonl", "{\"source\": \"a\"}\n{\"source\":\"a\",\"target\":\"b\"}")}, {},
                json);
  EXPECT_THAT(only(json, ProblemKind::kMalformedRow), HasSubstr("'target'"));
  EXPECT_THROW(read_parallel({write("f.tsv", "alone\n")}, {}, json), UsageError);
  EXPECT_THROW(read_parallel({write("g.tsv", "a\tb\n")}, {.source_column = "c"}, json), UsageError);
  EXPECT_THROW(read_parallel({"-", "-"}, {}, json), UsageError);
}

TEST(ParallelData, Multi30k) {
  if (!std::filesystem::exists(shared("multi30k"))) GTEST_SKIP() << "../shared/data is missing";
  DataReport report;
  const ParallelData data =
      read_parallel({shared("multi30k/train.en"), shared("multi30k/train.de")}, {}, report);
  EXPECT_EQ(report.fatal_count(), 0) << report.text();
  EXPECT_EQ(data.pairs.size() + static_cast<size_t>(report.warning_count()), 29000u);
}

TEST(StoryData, QuestionsSeeWhatStandsBeforeThem) {
  const Written write;
  DataReport report;
  const StoryData data = read_stories(write("a",
                                            "1 A b.\n2 Where is A? \tb\t1\n3 C d.\n"
                                            "4 Where?\td,b\t3 1\n1 E f.\n2 Who?\tE\n"),
                                      report);
  EXPECT_TRUE(report.empty()) << report.text();
  ASSERT_EQ(data.questions.size(), 3u);
  EXPECT_EQ(data.questions[0].question, "Where is A?");
  EXPECT_EQ(data.questions[0].answer, "b");
  EXPECT_THAT(data.questions[0].story, ElementsAre("A b."));
  EXPECT_THAT(data.questions[1].story, ElementsAre("A b.", "C d."));
  EXPECT_THAT(data.questions[1].facts, ElementsAre(1u, 0u));
  EXPECT_THAT(data.questions[2].story, ElementsAre("E f."));
  EXPECT_EQ(data.questions[2].line, 6);
}

TEST(StoryData, FaultsHaveTheirLine) {
  struct Case {
    std::string content;
    ProblemKind kind;
    std::string message;
  };
  const Case cases[] = {
      {"1 A.\n3 B?\tc\n", ProblemKind::kStoryOrder, "2: expected line 2 of the story, or 1"},
      {"2 A.\n3 B?\tc\n", ProblemKind::kStoryOrder, "1: expected a story that begins with line 1"},
      {"1 A.\n2 B?\tc\t2\n3 B?\tc\n", ProblemKind::kStoryOrder, "2: supporting line 2"},
      {"1 A.\n2 B?\tc\tx\n3 B?\tc\n", ProblemKind::kMalformedRow, "2: expected numbers of"},
      {"A.\n1 B?\tc\n", ProblemKind::kMalformedRow, "1: expected a number, a blank"},
      {"1 A.\n2 B?\t\t1\n3 B?\tc\n", ProblemKind::kMissingLabel, "2: expected a question"},
      {"1 A.\n", ProblemKind::kNoExamples, "expected at least one story"},
  };
  for (const Case& each : cases) {
    const Written write;
    DataReport report;
    read_stories(write("a", each.content), report);
    EXPECT_THAT(only(report, each.kind), HasSubstr(each.message)) << each.content;
  }
}

TEST(StoryData, Babi) {
  if (!std::filesystem::exists(shared("babi"))) GTEST_SKIP() << "../shared/data is missing";
  size_t questions = 0;
  for (const auto& file : std::filesystem::directory_iterator(shared("babi"))) {
    if (!file.path().filename().string().starts_with("qa")) continue;
    DataReport report;
    questions += read_stories(file, report).questions.size();
    EXPECT_TRUE(report.empty()) << report.text();
  }
  EXPECT_EQ(questions, 20000u);
}

TEST(SpanData, DocumentAndLines) {
  const Written write;
  const std::string answers = R"([{"text": "Zürich", "answer_start": 6}])";
  const std::string columns = R"({"text": ["Zürich"], "answer_start": [6]})";
  const std::string rest = R"("context": "Süß, Zürich.", "question": "Wo?", "answers": )";
  const auto document = write("a.json",
                              R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{
    "context": "Süßes Zürich.", "qas": [{"id": "7", "question": "Wo?", "answers": )" +
                                  answers + R"(}, {"question": "Wer?", "answers": []}]}]}]})");
  DataReport report;
  const SpanData data = read_spans(document, Answers::kRequired, report);
  EXPECT_TRUE(report.empty()) << report.text();
  ASSERT_EQ(data.questions.size(), 2u);
  EXPECT_EQ(data.questions[0].id, "7");
  const SpanAnswer& answer = data.questions[0].answers.at(0);
  EXPECT_EQ(data.contexts[0].substr(answer.range.begin, answer.range.size()), "Zürich");
  EXPECT_THAT(data.questions[1].answers, IsEmpty());

  const std::string context = R"("context": "Süßes Zürich.", "question": "Wo?", "answers": )";
  const SpanData lines =
      read_spans(write("a.jsonl", "{" + context + answers + "}\n{" + context + columns + "}\n"),
                 Answers::kRequired, report);
  EXPECT_TRUE(report.empty()) << report.text();
  EXPECT_EQ(lines.contexts.size(), 1u);  // the same text is kept once
  ASSERT_EQ(lines.questions.size(), 2u);
  EXPECT_EQ(lines.questions[1].answers.at(0).range.begin, answer.range.begin);
  EXPECT_EQ(
      read_spans(write("b.jsonl", R"({"context": "a", "question": "b"})"), Answers::kNone, report)
          .questions.size(),
      1u);
}

TEST(SpanData, Faults) {
  const Written write;
  const auto line = [](const std::string& answers) {
    return R"({"context": "abc def", "question": "?", "answers": )" + answers + "}";
  };
  const std::string good = line(R"([{"text": "def", "answer_start": 4}])") + "\n";
  for (const char* answers :
       {R"([{"text": "def", "answer_start": 3}])", R"([{"text": "def", "answer_start": 99}])",
        R"([{"text": "", "answer_start": 0}])"}) {
    DataReport report;
    const SpanData data =
        read_spans(write("a.jsonl", good + line(answers)), Answers::kRequired, report);
    EXPECT_THAT(only(report, ProblemKind::kAnswerPlace), HasSubstr("2: expected")) << answers;
    EXPECT_EQ(data.questions.size(), 1u);
  }
  for (const char* answers : {R"([{"text": "def"}])", R"([{"text": "def", "answer_start": -1}])",
                              R"({"text": ["def"], "answer_start": []})", R"("def")"}) {
    DataReport report;
    read_spans(write("a.jsonl", good + line(answers)), Answers::kRequired, report);
    EXPECT_THAT(only(report, ProblemKind::kMalformedRow), HasSubstr("2: ")) << answers;
  }
  DataReport report;
  EXPECT_THAT(test::message_of<DataError>([&] {
                read_spans(write("b.json", R"({"data": [{"paragraphs": [{}]}]})"),
                           Answers::kRequired, report);
              }),
              HasSubstr("data[0].paragraphs[0]"));
}

TEST(TextData, SplitByShareOrBySecondFile) {
  const Written write;
  DataReport report;
  const TextData share = read_text({{write("a", "äöü\r\n12345")}}, {.valid_share = 0.3}, report);
  EXPECT_EQ(share.train, "äöü\n123");
  EXPECT_EQ(share.valid, "45\n");
  const TextData all = read_text({{write("a", "ab\n")}}, {.valid_share = 0}, report);
  EXPECT_EQ(all.train, "ab\n");
  EXPECT_EQ(all.valid, "");
  const TextData two =
      read_text({{write("a", "ab\n"), write("b", "cd")}, {write("c", "e")}}, {}, report);
  EXPECT_EQ(two.train, "ab\ncd\n");
  EXPECT_EQ(two.valid, "e\n");
  EXPECT_TRUE(report.empty()) << report.text();
  read_text({{write("a", "")}}, {}, report);
  EXPECT_GE(report.count(ProblemKind::kNoExamples), 1);
  EXPECT_THROW(read_text({}, {}, report), UsageError);
  EXPECT_THROW(read_text({{write("a", "x")}}, {.valid_share = 1}, report), UsageError);
}

TEST(TextData, TinyShakespeare) {
  if (!std::filesystem::exists(shared("tinyshakespeare"))) {
    GTEST_SKIP() << "../shared/data is missing";
  }
  DataReport report;
  const TextData data = read_text({{shared("tinyshakespeare/input.txt")}}, {}, report);
  EXPECT_EQ(data.train.size(), 1003854u);  // as nanoGPT's
  EXPECT_EQ(data.valid.size(), 111540u);
}

TEST(SeveralLabels, SeparatorsAndArrays) {
  const Written write;
  for (const auto& file :
       {write("a.tsv", "text\tlabel\nx\tb, a,b\ny\t\nz\tc\n"),
        write("a.jsonl",
              "{\"text\":\"x\",\"label\":[\"b\",\"a\",\"b\"]}\n"
              "{\"text\":\"y\",\"label\":[]}\n{\"text\":\"z\",\"label\":\"c\"}\n")}) {
    DataReport report;
    const ClassificationData data = read_classification(file, {.label_separator = ","}, report);
    check_training_data(data, report);
    EXPECT_TRUE(report.empty()) << report.text();
    EXPECT_THAT(data.label_names, ElementsAre("a", "b", "c"));
    ASSERT_EQ(data.examples.size(), 3u);
    EXPECT_THAT(data.examples[0].labels, ElementsAre(0, 1));
    EXPECT_THAT(data.examples[1].labels, IsEmpty());
    EXPECT_THAT(data.examples[2].labels, ElementsAre(2));
    EXPECT_FALSE(data.examples[0].label.has_value());
  }
  DataReport report;
  const ClassificationData known =
      read_classification(write("b.tsv", "text\tlabel\nx\tb,a\ny\tb;q\nz\ta,q\n"),
                          {.label_names = {"b", "a"}, .label_separator = ","}, report);
  EXPECT_EQ(report.count(ProblemKind::kUnknownLabel), 2);
  ASSERT_EQ(known.examples.size(), 1u);
  EXPECT_THAT(known.examples[0].labels, ElementsAre(0, 1));
}

TEST(SeveralLabels, DocumentsMayBeArraysOfSentences) {
  const Written write;
  DataReport report;
  const ClassificationData data = read_classification(
      write("a.jsonl", "{\"text\":[\"One.\",\"Two.\"],\"label\":1}\n{\"text\":[2],\"label\":1}\n"),
      {}, report);
  EXPECT_EQ(data.examples.at(0).text, "One.\nTwo.");
  EXPECT_THAT(only(report, ProblemKind::kMissingText), HasSubstr("2: expected a string"));
}

}  // namespace
}  // namespace heed::data
