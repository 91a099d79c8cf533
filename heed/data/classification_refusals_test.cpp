// What is refused of labelled texts, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/data/testing/classification_files.h"
#include "heed/data/texts/classification_data.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ClassificationRefusals : public ClassificationFiles {};

TEST_F(ClassificationRefusals, NotUtf8) {
  EXPECT_THAT(only_problem("a.txt", "0 ok\n1 caf\xE9!\n1 x\n"),
              testing::AllOf(HasSubstr("not UTF-8 at :2: byte 5"), HasSubstr("latin-1")));
  EXPECT_THAT(only_problem("a.txt", "0 a\n1 \xED\xA0\x80\n1 b\n"), HasSubstr("not UTF-8 at :2"));
  EXPECT_THAT(only_problem("a.csv", "label,text\n0,\"a\n\xFF\nb\"\n1,c\n"),
              HasSubstr("not UTF-8 at :3"));
  EXPECT_THAT(only_problem("a.txt", std::string_view("\xFF\xFE"
                                                     "0\0 \0a\0\n\0",
                                                     10)),
              HasSubstr("convert it to UTF-8"));
}

TEST_F(ClassificationRefusals, NulBytes) {
  EXPECT_THAT(only_problem("a.txt", std::string_view("0 a\n1 b\0c\n1 d\n", 14)),
              HasSubstr("NUL byte at :2: NUL at byte 3"));
}

TEST_F(ClassificationRefusals, MalformedCsv) {
  EXPECT_THAT(only_problem("a.csv", "label,text\n0,a\n1,\"b\nc\n"),
              HasSubstr("malformed row at :3: a quoted cell that never ends"));
  EXPECT_THAT(only_problem("a.csv", "label,text\n0,\"a\"b\n1,c\n"),
              HasSubstr("malformed row at :2: expected ',' or the end of the line"));
}

TEST_F(ClassificationRefusals, MalformedJsonl) {
  const std::string good = "{\"text\": \"a\", \"label\": 0}\n";
  for (const char* bad :
       {"{\"text\": \"a\"", "{\"text\": \"a\", \"label\": 1.5}", "[1]", "7",
        "{\"text\": \"a\", \"text\": \"b\", \"label\": 1}", "{\"text\": \"a\", \"label\": [1]}",
        "{\"text\": \"\\ud800\", \"label\": 1}", "{} {}"}) {
    EXPECT_THAT(only_problem("a.jsonl", good + bad + "\n"), HasSubstr("malformed row at :2"))
        << bad;
  }
}

TEST_F(ClassificationRefusals, ColumnCount) {
  EXPECT_THAT(only_problem("a.tsv", "label\ttext\n0\ta\n1\tb\tc\n1\td\n"),
              HasSubstr("wrong number of columns at :3: expected 2 columns as in the first row, "
                        "found 3"));
  EXPECT_THAT(only_problem("a.csv", "label,text\n0\n1,a\n"),
              HasSubstr("wrong number of columns at :2"));
}

TEST_F(ClassificationRefusals, MissingAndEmptyTexts) {
  EXPECT_THAT(only_problem("a.txt", "0 a\n1\n1 b\n"), HasSubstr("empty text at :2"));
  EXPECT_THAT(only_problem("a.txt", "0 a\n1  \t\n1 b\n"), HasSubstr("empty text at :2"));
  EXPECT_THAT(only_problem("a.csv", "label,text\n0,\"\"\n1,a\n"), HasSubstr("empty text at :2"));
  EXPECT_THAT(only_problem("a.jsonl", "{\"text\": \"a\", \"label\": 0}\n{\"label\": 1}\n"),
              HasSubstr("missing text at :2: expected a string \"text\", found none"));
  EXPECT_THAT(only_problem("a.jsonl",
                           "{\"text\": \"a\", \"label\": 0}\n"
                           "{\"text\": 5, \"label\": 1}\n"),
              HasSubstr("missing text at :2"));
}

TEST_F(ClassificationRefusals, MissingLabels) {
  EXPECT_THAT(only_problem("a.txt", "0 a\n b\n1 c\n"), HasSubstr("missing label at :2"));
  EXPECT_THAT(only_problem("a.csv", "label,text\n,a\n1,b\n"), HasSubstr("missing label at :2"));
  EXPECT_THAT(only_problem("a.jsonl",
                           "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\"}\n"
                           "{\"text\": \"b\", \"label\": null}\n"),
              testing::AllOf(HasSubstr("missing label at :2"), HasSubstr("missing label at :3")));
}

TEST_F(ClassificationRefusals, UnknownLabels) {
  const ReadOptions options = {.label_names = {"pos", "neg"}};
  EXPECT_THAT(only_problem("a.txt", "neg a\nPos b\npos c\n", options),
              HasSubstr("unknown label at :2: expected one of \"pos\", \"neg\", found \"Pos\""));
  const auto data = read("a.txt", "neg a\npos c\n", options);
  EXPECT_THAT(data.label_names, ElementsAre("pos", "neg"));
  EXPECT_EQ(data.examples[0].label, 1);
  EXPECT_THROW(read("a.txt", "a b\n", {.label_names = {"a", "a"}}), UsageError);
}

TEST_F(ClassificationRefusals, NoExamples) {
  EXPECT_THAT(only_problem("a.txt", ""), HasSubstr("no examples at :"));
  EXPECT_THAT(only_problem("a.txt", "\n\n\r\n"), HasSubstr("no examples"));
  EXPECT_THAT(only_problem("a.csv", "text,label\n"), HasSubstr("no examples"));
  EXPECT_THAT(only_problem("a.csv", "\xEF\xBB\xBF"), HasSubstr("no examples"));
  EXPECT_THAT(only_problem("a.jsonl", "\n"), HasSubstr("no examples"));
}

TEST_F(ClassificationRefusals, LongLines) {
  const std::string text(10 << 20, 'x');
  EXPECT_EQ(read("a.txt", "0 " + text + "\n1 b\n").examples[0].text.size(), text.size());
  EXPECT_EQ(read("a.csv", "0,\"" + text + "\"\n1,b\n").examples[0].text.size(), text.size());
  EXPECT_THAT(only_problem("a.txt", "0 " + text + text + "\n1 b\n"),
              HasSubstr("malformed row at :1: the line is longer than"));
  std::string lines = "label,text\n0,\"";
  for (int i = 0; i < 20; ++i) lines += std::string(1 << 20, 'x') + "\n";
  EXPECT_THAT(only_problem("a.csv", lines + "\"\n1,b\n"), HasSubstr("more than 16 MiB"));
}

TEST_F(ClassificationRefusals, FilesThatAreNotThere) {
  EXPECT_THROW(read_classification(folder_ / "none.txt", {}, report_), MissingInputError);
  EXPECT_THROW(read_classification(folder_.path(), {}, report_), MissingInputError);
}

TEST_F(ClassificationRefusals, ColumnsThatCannotBeTold) {
  EXPECT_THROW(read("a.csv", "a,b,c\n1,2,3\n"), UsageError);
  EXPECT_THROW(read("a.csv", "text,x,y\n1,2,3\n"), UsageError);
  EXPECT_THROW(read("a.csv", "text,label\na,1\n", {.text_column = "body"}), UsageError);
  EXPECT_THROW(read("a.csv", "a,1\n", {.text_column = "3"}), UsageError);
  EXPECT_THROW(read("a.csv", "a,1\n", {.text_column = "0"}), UsageError);
  EXPECT_THROW(read("a.csv", "text,label\na,1\n", {.text_column = "2"}), UsageError);
  EXPECT_THROW(read("a.csv", "text\na\n"), UsageError);
  EXPECT_THROW(read("a.jsonl", "{\"a\": 1}\n"), UsageError);
  EXPECT_THROW(read("a.jsonl", "{\"text\": \"a\"}\n"), UsageError);
  EXPECT_THROW(read("a.txt", "a\n", {.format = Format::kText}), UsageError);
}

TEST_F(ClassificationRefusals, DamagedFilesAreReadOrRefused) {
  const std::string csv = "text,label\n\"a, \"\"b\"\"\nc\",x\nd,y\n\"é\",x\n";
  const std::string jsonl = "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"é\", \"label\": 0}\n";
  uint32_t state = 7;
  const auto random = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int i = 0; i < 1000; ++i) {
    for (const auto& [name, content] : {Pair("a.csv", csv), Pair("a.jsonl", jsonl)}) {
      std::string damaged = content;
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << (random() % 8));
      damaged.resize(damaged.size() - random() % 3);
      try {
        read(name, damaged);
      } catch (const UsageError&) {  // a column name was hit
      }
    }
  }
}

}  // namespace
}  // namespace heed::data
