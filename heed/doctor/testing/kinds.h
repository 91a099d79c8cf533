// What tests of kinds of data share: files that are written, and what was found in them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/doctor/data_kind.h"
#include "heed/io/testing/test_files.h"

namespace heed::doctor {

// The same numbers everywhere.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  int64_t below(int64_t count) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(count));
  }

 private:
  uint64_t state_;
};

class DataKinds : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& content) {
    const auto file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    test::spill(file, content);
    return file;
  }

  // "severity check" of each finding.
  static std::vector<std::string> found(const Report& report) {
    std::vector<std::string> all;
    for (const Finding& each : report.findings) {
      all.push_back(std::string(name_of(each.severity)) + ' ' + each.check);
    }
    return all;
  }

  Report examine(const std::string& task, const std::filesystem::path& train,
                 const std::filesystem::path& test = {}, const std::string& target = "",
                 const std::filesystem::path& edges = {}) {
    DataToCheck data{.splits = {{"train", {train}}}, .target = target, .edges = edges};
    if (!test.empty()) data.splits.push_back({"test", {test}});
    return examine_data(data, task);
  }

  test::Folder folder_;
};

}  // namespace heed::doctor
