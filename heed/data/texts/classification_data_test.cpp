#include "heed/data/texts/classification_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/data/testing/classification_files.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ClassificationDataTest : public ClassificationFiles {};

std::vector<int64_t> lines(const ClassificationData& data) {
  std::vector<int64_t> result;
  for (const Example& example : data.examples) result.push_back(example.line);
  return result;
}

TEST_F(ClassificationDataTest, LabelTextLines) {
  const auto data = read("a.txt", "1 good film\n0 bad,  film\n\n1\ttab \"quoted\"\n");
  EXPECT_THAT(pairs(data), ElementsAre(Pair("1", "good film"), Pair("0", "bad,  film"),
                                       Pair("1", "tab \"quoted\"")));
  EXPECT_THAT(data.label_names, ElementsAre("0", "1"));
  EXPECT_THAT(lines(data), ElementsAre(1, 2, 4));
  EXPECT_TRUE(report_.empty());
}

TEST_F(ClassificationDataTest, TsvWithHeader) {
  const auto data = read("a.tsv", "id\tSentence\tlabel\n1\ta \"b\tpos\n2\tc\t neg \n");
  EXPECT_THAT(pairs(data), ElementsAre(Pair("pos", "a \"b"), Pair("neg", "c")));
  EXPECT_THAT(lines(data), ElementsAre(2, 3));
}

TEST_F(ClassificationDataTest, TablesWithoutHeader) {
  EXPECT_THAT(pairs(read("a.tsv", "1\tx\n0\ty\n")), ElementsAre(Pair("1", "x"), Pair("0", "y")));
  const auto data = read("a.csv", "x,7,1\ny,8,0\n", {.text_column = "1", .label_column = "3"});
  EXPECT_THAT(pairs(data), ElementsAre(Pair("1", "x"), Pair("0", "y")));
  EXPECT_THAT(pairs(read("a.csv", "x,1\ny,0\n", {.text_column = "1"})),
              ElementsAre(Pair("1", "x"), Pair("0", "y")));
  EXPECT_THAT(pairs(read("a.csv", "label,text\n0,y\n", {.header = Header::kNo})),
              ElementsAre(Pair("label", "text"), Pair("0", "y")));
}

TEST_F(ClassificationDataTest, CsvQuotes) {
  const auto data = read("a.csv",
                         "text,label\r\n"
                         "\"a, \"\"b\"\"\nsecond line\",x\r\n"
                         "plain \"inside\",y\n"
                         "\"\n\n\"\"\",x\n"
                         "last,\"y\"");
  EXPECT_THAT(pairs(data),
              ElementsAre(Pair("x", "a, \"b\"\nsecond line"), Pair("y", "plain \"inside\""),
                          Pair("x", "\n\n\""), Pair("y", "last")));
  EXPECT_THAT(lines(data), ElementsAre(2, 4, 5, 8));
  EXPECT_TRUE(report_.empty()) << report_.text();
}

TEST_F(ClassificationDataTest, Jsonl) {
  const auto data = read("a.jsonl",
                         "{\"text\": \"a\\nb\", \"label\": 1, \"id\": {}}\n\n"
                         "{\"label\": \"x\", \"text\": \"ü\"}\n"
                         "{\"label\": true, \"text\": \"c\"}\n");
  EXPECT_THAT(pairs(data), ElementsAre(Pair("1", "a\nb"), Pair("x", "ü"), Pair("true", "c")));
  EXPECT_THAT(lines(data), ElementsAre(1, 3, 4));
  EXPECT_THAT(pairs(read("b.ndjson", "{\"y\": 0, \"x\": \"a\"}\n",
                         {.text_column = "x", .label_column = "y"})),
              ElementsAre(Pair("0", "a")));
}

TEST_F(ClassificationDataTest, FormatByHand) {
  EXPECT_THAT(pairs(read("a.txt", "a,1\nb,0\n", {.format = Format::kCsv, .text_column = "1"})),
              ElementsAre(Pair("1", "a"), Pair("0", "b")));
  EXPECT_THAT(pairs(read("a.txt", "a;1\nb;0\n", {.delimiter = ';', .text_column = "1"})),
              ElementsAre(Pair("1", "a"), Pair("0", "b")));
  EXPECT_THAT(pairs(read("a.json", "0 {\"a\": 1}\n1 b\n", {.format = Format::kLabelText})),
              ElementsAre(Pair("0", "{\"a\": 1}"), Pair("1", "b")));
}

// The same examples, whatever the file is called and however it is written.
TEST_F(ClassificationDataTest, FormatByContent) {
  const std::string bom = "\xEF\xBB\xBF";
  const std::string lines =
      "{\"label\": \"pos\", \"text\": \"a fine film\"}\n"
      "{\"label\": \"neg\", \"text\": \"a dull film\"}\n";
  const std::string array =
      "[{\"label\": \"pos\", \"text\": \"a fine film\"},\n"
      " {\"label\": \"neg\", \"text\": \"a dull film\"}]\n";
  for (const auto& [name, content] :
       {Pair("a.TSV", "label\ttext\npos\ta fine film\nneg\ta dull film\n"),
        Pair("a.txt", "label\ttext\npos\ta fine film\nneg\ta dull film\n"),
        Pair("a", "pos\ta fine film\nneg\ta dull film\n"),
        Pair("a.CSV", "text;label\na fine film;pos\n\"a dull film\";neg\n"),
        Pair("a.dat", "text|label\na fine film|pos\na dull film|neg\n"), Pair("a.json", lines),
        Pair("a.txt", bom + lines), Pair("a.ndjson", lines), Pair("a.json", array),
        Pair("a.txt", bom + "\n" + array),
        Pair("a.json", "{\"version\": 1, \"data\": " + array + "}"),
        Pair("a.txt", "pos a fine film\nneg a dull film\n")}) {
    EXPECT_THAT(pairs(read(name, content)),
                ElementsAre(Pair("pos", "a fine film"), Pair("neg", "a dull film")))
        << name << ": " << content;
    EXPECT_TRUE(report_.empty()) << report_.text();
    // Whoever asks for no labels gets the same texts.
    const auto texts =
        read(name, content, {.labels = Labels::kNone, .label_names = {"neg", "pos"}});
    EXPECT_THAT(pairs(texts), ElementsAre(Pair("-", "a fine film"), Pair("-", "a dull film")))
        << name << ": " << content;
  }
}

// A first row of examples is none of names, though one of its cells is a usual one.
TEST_F(ClassificationDataTest, AHeaderNamesBothColumns) {
  const std::string rows = "question\tWhat is it ?\nstatement\tIt is .\n";
  EXPECT_THAT(pairs(read("a.tsv", rows)),
              ElementsAre(Pair("question", "What is it ?"), Pair("statement", "It is .")));
  EXPECT_THAT(report_.notes(), ElementsAre(HasSubstr("no header; text in column 2, label in")));
  const auto texts =
      read("a.tsv", rows, {.labels = Labels::kNone, .label_names = {"question", "statement"}});
  EXPECT_EQ(texts.examples.size(), 2u);
  read("a.tsv", "Text\tlabel\nx\ty\n");
  EXPECT_THAT(report_.notes(), ElementsAre(HasSubstr("text in column \"Text\"")));
}

TEST_F(ClassificationDataTest, TakesTheColumnsOfTraining) {
  const std::string content = "review,stars,text\nx,1,a\ny,0,b\n";
  const auto trained = read("a.csv", content, {.text_column = "review", .label_column = "stars"});
  EXPECT_EQ(trained.text_column, "review");
  EXPECT_EQ(trained.label_column, "stars");
  const ReadOptions later = {.known_text_column = trained.text_column,
                             .known_label_column = trained.label_column};
  EXPECT_THAT(pairs(read("b.csv", content, later)), ElementsAre(Pair("1", "x"), Pair("0", "y")));
  EXPECT_THAT(pairs(read("c.jsonl", "{\"stars\": 1, \"review\": \"x\", \"text\": 7}", later)),
              ElementsAre(Pair("1", "x")));
  EXPECT_THAT(pairs(read("d.csv", "text,label\nx,1\n", later)), ElementsAre(Pair("1", "x")));
}

TEST_F(ClassificationDataTest, LabelsThatLookAlikeAreOneClass) {
  const auto data = read("a.tsv", "caf\u00e9\tx\ncafe\u0301\ty\nnew york\tz\nnew\u00a0york\tv\n");
  EXPECT_THAT(data.label_names, ElementsAre("caf\u00e9", "new york"));
  EXPECT_EQ(data.examples.size(), 4u);
  EXPECT_EQ(report_.count(ProblemKind::kLookAlike), 2);
  EXPECT_EQ(report_.fatal_count(), 0);
}

TEST_F(ClassificationDataTest, LimitsAreSaidBeforeMemoryRunsOut) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += std::to_string(i) + "\ttext\n";
  EXPECT_THROW(read("a.tsv", many, {.limits = {.most_classes = 100}}), DataError);
  EXPECT_THROW(read("a.tsv", many, {.limits = {.most_bytes = 1000}}), DataError);
  EXPECT_EQ(read("a.tsv", many, {.limits = {.most_classes = 200}}).examples.size(), 200u);
}

TEST_F(ClassificationDataTest, SeveralFilesHaveOneSetOfLabels) {
  const auto a = write("a.tsv", "x\tone\ny\ttwo\n");
  const auto b = write("b.jsonl", "{\"text\": \"three\", \"label\": \"a\"}\n");
  const auto data = read_classification(std::vector{a, b}, {}, report_);
  EXPECT_THAT(data.label_names, ElementsAre("a", "x", "y"));
  EXPECT_THAT(pairs(data), ElementsAre(Pair("x", "one"), Pair("y", "two"), Pair("a", "three")));
  EXPECT_EQ(data.where(data.examples[2]), b.string() + ":1");
}

TEST_F(ClassificationDataTest, LabelsAreSortedAsNumbersWhereTheyAreNumbers) {
  EXPECT_THAT(read("a.txt", "10 a\n9 b\n-1 c\n").label_names, ElementsAre("-1", "9", "10"));
  EXPECT_THAT(read("a.txt", "10 a\n9 b\nx c\n").label_names, ElementsAre("10", "9", "x"));
}

TEST_F(ClassificationDataTest, GzipBomAndCarriageReturns) {
  const std::string content = "\xEF\xBB\xBFtext,label\r\na,1\r\nb,0\r\n";
  EXPECT_THAT(pairs(read("a.csv", content)), ElementsAre(Pair("1", "a"), Pair("0", "b")));
  const std::string file = (folder_ / "a.csv.gz").string();
  write_gzip(file, content);
  EXPECT_THAT(pairs(read_classification(file, {}, report_)),
              ElementsAre(Pair("1", "a"), Pair("0", "b")));
}

TEST_F(ClassificationDataTest, UnlabelledTexts) {
  const ReadOptions options = {.labels = Labels::kNone};
  const auto plain = read("a.txt", "one\n\n0 two\n", options);
  EXPECT_THAT(pairs(plain), ElementsAre(Pair("-", "one"), Pair("-", ""), Pair("-", "0 two")));
  EXPECT_EQ(report_.count(ProblemKind::kEmptyText), 1);
  EXPECT_EQ(report_.fatal_count(), 0);
  EXPECT_THAT(pairs(read("a.csv", "text\nx\n", options)), ElementsAre(Pair("-", "x")));
  EXPECT_THAT(pairs(read("a.csv", "1,x\n0,y\n", options)),
              ElementsAre(Pair("-", "x"), Pair("-", "y")));
  EXPECT_THAT(pairs(read("a.jsonl", "{\"text\": \"x\"}\n", options)), ElementsAre(Pair("-", "x")));
  EXPECT_TRUE(read("empty.txt", "", options).examples.empty());
  EXPECT_TRUE(report_.empty());
}

TEST_F(ClassificationDataTest, Latin1) {
  const auto data =
      read("a.txt", "0 caf\xE9 \xF0\n1 x\n", {.encoding = CharacterEncoding::kLatin1});
  EXPECT_THAT(pairs(data), ElementsAre(Pair("0", "café ð"), Pair("1", "x")));
}

TEST(ClassificationDataOfOthers, Sst2) {
  const auto folder = test::shared_data("sst2");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is missing";
  DataReport report;
  const TrainingData data = read_training_data(
      {.train = {folder / "stsa.binary.train"}, .valid = {folder / "stsa.binary.dev"}}, {}, report);
  EXPECT_EQ(data.train.examples.size(), 6920u);
  EXPECT_EQ(data.valid->examples.size(), 872u);
  EXPECT_THAT(data.train.label_names, ElementsAre("0", "1"));
}

TEST(ClassificationDataOfOthers, TrecIsLatin1) {
  const auto folder = test::shared_data("trec");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is missing";
  DataReport report;
  const auto data = read_classification(folder / "TREC.train.all",
                                        {.encoding = CharacterEncoding::kLatin1}, report);
  EXPECT_EQ(data.examples.size(), 5452u);
  EXPECT_EQ(data.label_names.size(), 6u);
  EXPECT_TRUE(report.empty());
  read_classification(folder / "TREC.train.all", {}, report);
  EXPECT_GT(report.count(ProblemKind::kNotUtf8), 0);
}

}  // namespace
}  // namespace heed::data
