#include "heed/doctor/tables.h"

#include <algorithm>
#include <span>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

bool has_header(const data::Row& row, const data::ReadOptions& options) {
  if (options.header != data::Header::kAuto) return options.header == data::Header::kYes;
  const auto usual = [&](std::span<const std::string_view> names) {
    for (const std::string& cell : row.cells) {
      const std::string name = data::lower_case_of(trimmed(cell));
      if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    }
    return false;
  };
  const auto chosen = [&](const std::string& name) {
    return !name.empty() && std::find(row.cells.begin(), row.cells.end(), name) != row.cells.end();
  };
  return usual(data::usual_text_names()) || usual(data::usual_source_names()) ||
         chosen(options.text_column) || chosen(options.label_column);
}

}  // namespace

void for_each_row(const std::filesystem::path& file, const data::ReadOptions& options,
                  const OnRow& use) {
  data::DataReport ignored;  // of what check_reading tells
  data::TextLines lines(file, {.encoding = options.encoding}, ignored);
  const data::FileLayout kind = lines.kind(options.format, options.delimiter);
  if (kind.format != data::Format::kTsv && kind.format != data::Format::kCsv) return;
  const auto rows = data::rows_of(lines, kind);
  data::Row row;
  if (!rows->next(row)) return;
  const bool header = has_header(row, options);
  std::vector<std::string> names;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    names.push_back(header ? row.cells[i] : text_of("column ", i + 1));
  }
  for (bool more = header ? rows->next(row) : true; more; more = rows->next(row)) {
    if (row.cells.size() == names.size()) use(names, row);
  }
}

const std::vector<std::string>* FurtherColumns::find(uint32_t file, int64_t line) const {
  if (file >= rows.size()) return nullptr;
  const auto found = rows[file].find(line);
  return found == rows[file].end() ? nullptr : &found->second;
}

FurtherColumns further_columns(const std::vector<std::filesystem::path>& files,
                               data::ReadOptions options, const data::ClassificationData& data) {
  FurtherColumns further;
  if (data.text_column.empty()) return further;
  options.text_column = data.text_column;
  options.label_column = data.label_column;
  further.rows.resize(files.size());
  for (size_t f = 0; f < files.size(); ++f) {
    if (files[f] == "-") continue;
    for_each_row(files[f], options, [&](const auto& names, const data::Row& row) {
      std::vector<std::string>& cells = further.rows[f][row.line];
      for (size_t i = 0; i < names.size(); ++i) {
        if (names[i] == data.text_column || names[i] == data.label_column) continue;
        const auto known = std::find(further.names.begin(), further.names.end(), names[i]);
        const auto at = static_cast<size_t>(known - further.names.begin());
        if (known == further.names.end()) further.names.push_back(names[i]);
        cells.resize(std::max(cells.size(), at + 1));
        cells[at] = row.cells[i];
      }
    });
  }
  return further;
}

}  // namespace heed::doctor
