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
}

TEST_F(TextFiles, AnswersOfJsonAreTheirText) {
  EXPECT_EQ(answers_of(file(
                "{\"text\": \"q\", \"output\": \"a\"}\n{\"text\": \"q\", \"output\": \"b\"}\n")),
            (Texts{"a", "b"}));
  EXPECT_EQ(answers_of(file("{\"answer\": null}\n{\"answer\": \"x\"}\n")), (Texts{"", "x"}));
  EXPECT_THROW(answers_of(file("{\"label\": \"x\"}\n")), DataError);
}

TEST_F(TextFiles, CountsMustBeTheSame) {
  EXPECT_NO_THROW(check_line_counts("a", 3, "b", 3));
  EXPECT_THROW(check_line_counts("a", 3, "b", 2), DataError);
}

}  // namespace
}  // namespace heed::cli
