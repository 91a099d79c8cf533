// What the tests of labelled texts share: files that are written and read.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/data/texts/classification_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {

class ClassificationFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    test::spill(folder_ / name, content);
    return folder_ / name;
  }

  ClassificationData read(const std::string& name, std::string_view content,
                          const ReadOptions& options = {}) {
    report_ = {};
    return read_classification(write(name, content), options, report_);
  }

  // How the only problem of a file reads: "KIND at LINE: DETAIL".
  std::string only_problem(const std::string& name, std::string_view content,
                           const ReadOptions& options = {}) {
    read(name, content, options);
    std::string found;
    for (int i = 0; i < kProblemKinds; ++i) {
      const auto kind = static_cast<ProblemKind>(i);
      for (const DataProblem& problem : report_.examples(kind)) {
        if (!found.empty()) found += " | ";
        const std::string file = (folder_ / name).string();
        EXPECT_TRUE(problem.where.starts_with(file)) << problem.where;
        found += std::string(name_of(kind)) + " at " + problem.where.substr(file.size()) + ": " +
                 problem.detail;
      }
    }
    return found;
  }

  using Pair = std::pair<std::string, std::string>;  // label and text

  static std::vector<Pair> pairs(const ClassificationData& data) {
    std::vector<Pair> result;
    for (const Example& example : data.examples) {
      result.emplace_back(
          example.label ? data.label_names[static_cast<size_t>(*example.label)] : "-",
          example.text);
    }
    return result;
  }

  test::Folder folder_;
  DataReport report_;
};

}  // namespace heed::data
