#include "heed/cli/text_files.h"

#include <cstdio>
#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/data/rows.h"

namespace heed::cli {

std::vector<std::string> lines_of(const std::string& file) {
  data::DataReport report;
  data::TextLines reader(file, data::Encoding::kUtf8, report);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  throw_or_warn(report);
  return lines;
}

void check_line_counts(const std::string& file, size_t lines, const std::string& other,
                       size_t other_lines) {
  if (lines == other_lines) return;
  throw DataError(other, text_of("expected ", lines, " lines as in ", file, ", found ", other_lines,
                                 "; line n of both must belong together"));
}

void print_values(const nlohmann::ordered_json& values, bool json) {
  if (json) {
    std::cout << values.dump() << '\n';
    return;
  }
  for (const auto& [name, value] : values.items()) {
    if (value.is_object()) continue;  // for programs
    if (value.is_number_float()) {
      char buffer[32];
      std::snprintf(buffer, sizeof buffer, "%.4f", value.get<double>());
      std::cout << name << '\t' << buffer << '\n';
    } else {
      std::cout << name << '\t' << value.dump() << '\n';
    }
  }
}

}  // namespace heed::cli
