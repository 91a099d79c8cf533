#include "heed/cli/writing/table_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

std::string table(const std::vector<OrderedJson>& rows, TableWriter::Form form,
                  const std::vector<std::string>& columns = {}) {
  std::string text;
  TableWriter writer(columns, form, [&](const std::string& line) { text += line; });
  for (const OrderedJson& row : rows) writer.add(row);
  return text;
}

TEST(TableWriter, MembersBecomeColumns) {
  const OrderedJson row = {{"label", "good"},
                           {"probabilities", {{"good", 0.75}, {"bad", 0.25}}},
                           {"tokens", {"a", "b"}},
                           {"top", {{{"answer", "x"}, {"score", 1}}, {{"answer", "y"}}}}};
  EXPECT_EQ(table({row}, TableWriter::Form::kTsv),
            "label\tprobabilities.good\tprobabilities.bad\ttokens\ttop.1.answer\ttop.1.score\t"
            "top.2.answer\n"
            "good\t0.75\t0.25\ta b\tx\t1\ty\n");
  EXPECT_EQ(table({row}, TableWriter::Form::kCsv, {"probabilities", "label"}),
            "probabilities.good,probabilities.bad,label\n0.75,0.25,good\n");
}

TEST(TableWriter, ListsOfAnyLengthStandInOneCell) {
  const OrderedJson none = {{"text", "a"}, {"entities", OrderedJson::array()}};
  const OrderedJson two = {{"text", "b"}, {"entities", {{{"type", "per"}}, {{"type", "loc"}}}}};
  const std::string cell = R"([{"type":"per"},{"type":"loc"}])";
  EXPECT_EQ(table({none, two}, TableWriter::Form::kTsv), "text\tentities\na\t\nb\t" + cell + "\n");
  EXPECT_EQ(table({two, none}, TableWriter::Form::kTsv), "text\tentities\nb\t" + cell + "\na\t\n");
}

TEST(TableWriter, WhatARowLacksIsEmpty) {
  EXPECT_EQ(table({{{"a", 1}, {"b", true}}, {{"b", nullptr}}, {{"c", 3}}}, TableWriter::Form::kTsv),
            "a\tb\n1\ttrue\n\t\n\t\n");
}

TEST(TableWriter, CellsCannotBreakTheTable) {
  const OrderedJson row = {{"a", "x,\"y\"\nz"}, {"b", "tab\there"}};
  EXPECT_EQ(table({row}, TableWriter::Form::kCsv), "a,b\n\"x,\"\"y\"\"\nz\",tab\there\n");
  const std::string plain = table({row}, TableWriter::Form::kTsv);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), '\n'), 2);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), '\t'), 2);
}

TEST(TableWriter, NoLineOfCsvIsEmpty) {
  EXPECT_EQ(table({{{"a", "x"}}, {{"a", nullptr}}}, TableWriter::Form::kCsv), "a\nx\n\"\"\n");
}

TEST(TableWriter, AColumnThatIsNotThereIsRefused) {
  EXPECT_THROW(table({{{"a", 1}}}, TableWriter::Form::kTsv, {"b"}), UsageError);
}

}  // namespace
}  // namespace heed::cli
