// labels.cpp and linear_model.cpp: how many labels that were made wrong are found.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "heed/doctor/checks.h"
#include "heed/io/testing/test_files.h"

namespace heed::doctor {
namespace {

// Flips the labels of one sample in twenty, spread over all of them.
std::set<size_t> flip_some(Data& data) {
  std::set<size_t> flipped;
  uint64_t state = 7;
  std::vector<Sample>& samples = data.splits[0].samples;
  while (flipped.size() < samples.size() / 20) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const size_t i = (state >> 33) % samples.size();
    if (flipped.insert(i).second) samples[i].labels[0] = 1 - samples[i].labels[0];
  }
  return flipped;
}

double found_share(const Data& data, const std::set<size_t>& flipped) {
  const std::vector<SuspectLabel> suspects = suspect_labels(data);
  size_t found = 0;
  for (size_t i = 0; i < std::min(suspects.size(), flipped.size()); ++i) {
    found += flipped.count(suspects[i].sample);
  }
  return static_cast<double>(found) / static_cast<double>(flipped.size());
}

TEST(SuspectLabels, FindsLabelsThatWereFlipped) {
  Data data{.splits = {{.name = "train", .files = {"train.tsv"}}}, .labels = {"bad", "good"}};
  const std::vector<std::string> words[2] = {{"dull", "bad", "boring", "poor", "weak"},
                                             {"fine", "good", "moving", "rich", "strong"}};
  for (size_t i = 0; i < 400; ++i) {
    const auto& mine = words[i % 2];
    data.splits[0].samples.push_back(
        {.text = "a " + mine[i / 2 % 5] + " and " + mine[i / 10 % 5] + " film " + std::to_string(i),
         .labels = {static_cast<int32_t>(i % 2)}});
  }
  const std::set<size_t> flipped = flip_some(data);
  EXPECT_GT(found_share(data, flipped), 0.95);
}

TEST(SuspectLabels, FindsManyOfTheFlippedLabelsOfSst2) {
  const auto file = test::shared_data("sst2/stsa.binary.train");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  Data data = read_samples({{.name = "train", .files = {file}}}, DataTask::kAuto, {});
  ASSERT_EQ(data.labels.size(), 2U);
  const std::set<size_t> flipped = flip_some(data);
  const double found = found_share(data, flipped);
  RecordProperty("found", std::to_string(found));
  EXPECT_GE(found, 0.425);  // 0.434; docs/doctor.md says what keeps it from 0.6
}

TEST(SuspectLabels, SaysNothingOfWhatItCannotJudge) {
  Data data{.splits = {{.name = "train"}}, .labels = {"a", "b"}};
  EXPECT_TRUE(suspect_labels(data).empty());
  for (int i = 0; i < 100; ++i) data.splits[0].samples.push_back({.text = "x", .labels = {0, 1}});
  data.several_labels = true;
  EXPECT_TRUE(suspect_labels(data).empty());
}

}  // namespace
}  // namespace heed::doctor
