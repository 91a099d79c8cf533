#include "heed/cli/reading/text_files.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::cli {
namespace {

using std::literals::operator""s;
using Texts = std::vector<std::string>;

class TextFiles : public testing::Test {
 protected:
  std::string file(const std::string& content) {
    test::spill(folder_ / "answers", content);
    return (folder_ / "answers").string();
  }

  test::Folder folder_;
};

TEST_F(TextFiles, LinesAreAsTheyStand) {
  EXPECT_EQ(lines_of(file("a b\n\n c\n")), (Texts{"a b", "", " c"}));
  EXPECT_THROW(lines_of(file("a\n\xff\n")), DataError);
}

TEST_F(TextFiles, LinesThatAskKeepTheirPlaces) {
  const std::string name = file("a\n\xff\n" + std::string(size_t{17} << 20, 'x') + "\n\nb\nc\0d"s);
  data::DataReport report;
  std::string found;
  for (const AskedLine& line : asked_lines({name, name}, report)) {
    found += line.text.value_or("?") + line.where.substr(line.where.rfind(':')) + " ";
  }
  EXPECT_EQ(found, "a:1 ?:2 ?:3 :4 b:5 ?:6 a:1 ?:2 ?:3 :4 b:5 ?:6 ");
  EXPECT_EQ(report.fatal_count(), 6);
  EXPECT_NE(report.text().find(name + ":3: the line is longer than"), std::string::npos);
}

TEST_F(TextFiles, AnswersLoseTheirProbabilities) {
  EXPECT_EQ(answers_of(file("attic\t0.9812\nhall\t1.0\n")), (Texts{"attic", "hall"}));
  // Not all lines end in one, so that none is left out.
  EXPECT_EQ(answers_of(file("attic\t0.9812\nhall\n")), (Texts{"attic\t0.9812", "hall"}));
  EXPECT_EQ(answers_of(file("attic\t12\n")), (Texts{"attic\t12"}));
  EXPECT_EQ(answers_of(file("where\tanswer\n1\tattic\n2\thall\n")), (Texts{"attic", "hall"}));
  EXPECT_EQ(answers_of(file("answer,probability\n\"attic, or hall\",0.5\nhall,1\n")),
            (Texts{"attic, or hall", "hall"}));
  // An input without an answer leaves a line empty.
  EXPECT_EQ(answers_of(file("attic\t0.9812\n\nhall\t1.0\n")), (Texts{"attic", "", "hall"}));
}

TEST_F(TextFiles, AColumnAloneIsATable) {
  EXPECT_EQ(answers_of(file("output\nyes, he did\n\n\"no\" she said\n")),
            (Texts{"yes, he did", "", "\"no\" she said"}));
  EXPECT_EQ(answers_of(file("output\n\"yes, he did\"\n\"\"\n\"two\nlines\"\nno\n")),
            (Texts{"yes, he did", "", "two\nlines", "no"}));
  EXPECT_EQ(answers_of(file("text\n\"no\"\nyes\n")), (Texts{"\"no\"", "yes"}));
}

TEST_F(TextFiles, AnswersLoseTheirFiles) {
  const std::string lines = file("a.wav\tgood day\nb.wav\t\n\nc.wav\tyes\n");
  EXPECT_EQ(answers_of(lines, Before::kFile), (Texts{"good day", "", "", "yes"}));
  EXPECT_EQ(answers_of(lines), (Texts{"a.wav\tgood day", "b.wav\t", "", "c.wav\tyes"}));
  EXPECT_EQ(answers_of(file("good day\nyes\n"), Before::kFile), (Texts{"good day", "yes"}));
  const Texts said{"good day, \"Eva\"", "yes"};
  EXPECT_EQ(answers_of(file("file,text,seconds\na.wav,\"good day, \"\"Eva\"\"\",1\nb.wav,yes,2\n"),
                       Before::kFile),
            said);
  EXPECT_EQ(answers_of(file("file\ttext\na.wav\tgood day, \"Eva\"\nb.wav\tyes\n"), Before::kFile),
            said);
}

TEST_F(TextFiles, ColumnsOfATable) {
  const auto cells = [&](const std::string& content) {
    std::string all;
    const auto rows = columns_of(file(content), {"tokens", "tags"});
    for (const data::Row& row : rows.value()) {
      all += text_of(row.line, ':', row.cells[0], '|', row.cells[1], ' ');
    }
    return all;
  };
  EXPECT_EQ(cells("tags\ttext\ttokens\nO B-X\tin Rome\tin Rome\nO\tgo\tgo\n"),
            "2:in Rome|O B-X 3:go|O ");
  EXPECT_EQ(cells("text,tokens,tags\nin Rome,in Rome,O B-X\n"), "2:in Rome|O B-X ");
  // Every row ends in a tag, but no empty line ends a sentence.
  EXPECT_EQ(cells("tokens\ttags\nin Rome\tO B-X\ngo\tO\n"), "2:in Rome|O B-X 3:go|O ");
  EXPECT_FALSE(columns_of(file("tokens\ttags\nin\tO\nRome\tB-X\n\ngo\tO\n"), {"tokens", "tags"}));
  EXPECT_FALSE(columns_of(file("tokens\ttext\nin\tO\n"), {"tokens", "tags"}));
}

TEST_F(TextFiles, AnswersOfJsonAreTheirText) {
  EXPECT_EQ(answers_of(file(
                "{\"text\": \"q\", \"output\": \"a\"}\n{\"text\": \"q\", \"output\": \"b\"}\n")),
            (Texts{"a", "b"}));
  EXPECT_EQ(answers_of(file("{\"answer\": null}\n{\"answer\": \"x\"}\n")), (Texts{"", "x"}));
  EXPECT_EQ(answers_of(file("{\"text\": \"x\"}\n{\"where\": \"a\", \"error\": \"no sound\"}\n")),
            (Texts{"x", ""}));
  EXPECT_THROW(answers_of(file("{\"label\": \"x\"}\n")), DataError);
}

TEST_F(TextFiles, CountsMustBeTheSame) {
  EXPECT_NO_THROW(check_line_counts("a", 3, "b", 3));
  EXPECT_THROW(check_line_counts("a", 3, "b", 2), DataError);
}

}  // namespace
}  // namespace heed::cli
