// What the tests of the readers share: files of a folder of their own, and the one problem of a
// report.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "heed/data/data_report.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {

inline void write_gzip(const std::filesystem::path& path, std::string_view content) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
}

// Writes files into a folder of its own and says where they are.
class Written {
 public:
  std::filesystem::path operator()(std::string_view name, std::string_view content) const {
    test::spill(folder_ / name, content);
    return folder_ / name;
  }
  std::filesystem::path compressed(std::string_view name, std::string_view content) const {
    write_gzip(folder_ / name, content);
    return folder_ / name;
  }

 private:
  test::Folder folder_;
};

// "3: expected ...": the line and detail of the only problem of a kind.
inline std::string only(const DataReport& report, ProblemKind kind) {
  EXPECT_EQ(report.fatal_count() + report.warning_count(), 1) << report.text();
  if (report.examples(kind).size() != 1) return "none: " + report.text();
  const DataProblem& problem = report.examples(kind)[0];
  return problem.where.substr(problem.where.rfind(':') + 1) + ": " + problem.detail;
}

}  // namespace heed::data
