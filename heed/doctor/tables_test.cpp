#include "heed/doctor/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/io/testing/test_files.h"

namespace heed::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FurtherColumns, AreThoseBesideTextAndLabel) {
  const test::Folder folder;
  test::spill(folder / "a.tsv", "label\tsource\ttext\ngood\tweb\tfine\nbad\tphone\tdull\n");
  test::spill(folder / "b.csv", "text,label,age\nfine,good,7\n");
  const std::vector<std::filesystem::path> files = {folder / "a.tsv", folder / "b.csv"};
  data::DataReport report;
  const auto data = data::read_classification(files, {}, report);
  const FurtherColumns further = further_columns(files, {}, data);
  EXPECT_THAT(further.names, ElementsAre("source", "age"));
  ASSERT_NE(further.find(0, 3), nullptr);
  EXPECT_THAT(*further.find(0, 3), ElementsAre("phone"));
  EXPECT_THAT(*further.find(1, 2), ElementsAre("", "7"));
  EXPECT_EQ(further.find(0, 9), nullptr);
  EXPECT_EQ(further.find(2, 1), nullptr);
}

TEST(FurtherColumns, ThereAreNoneWithoutAHeader) {
  const test::Folder folder;
  test::spill(folder / "a.txt", "good fine\nbad dull\n");
  const std::vector<std::filesystem::path> files = {folder / "a.txt"};
  data::DataReport report;
  const auto data = data::read_classification(files, {}, report);
  EXPECT_THAT(further_columns(files, {}, data).names, IsEmpty());
}

}  // namespace
}  // namespace heed::doctor
