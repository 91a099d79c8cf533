// Tables as they are, with the columns that training does not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "heed/data/rows.h"
#include "heed/data/texts/classification_data.h"

namespace heed::doctor {

// Hands each row that has as many cells as the first to `use`, with the names of its columns:
// those of the header, else "column 1" and so on. A file that is no table has none.
using OnRow = std::function<void(const std::vector<std::string>& names, const data::Row& row)>;
void for_each_row(const std::filesystem::path& file, const data::ReadOptions& options,
                  const OnRow& use);

// What tables say beside text and label.
struct FurtherColumns {
  std::vector<std::string> names = {};
  // Of each file: the line of a row -> a cell for each name, "" where the file has no such column.
  std::vector<std::map<int64_t, std::vector<std::string>>> rows = {};

  const std::vector<std::string>* find(uint32_t file, int64_t line) const;  // null: nothing
};

// Of the files that `data` was read from; none without a header.
FurtherColumns further_columns(const std::vector<std::filesystem::path>& files,
                               data::ReadOptions options, const data::ClassificationData& data);

}  // namespace heed::doctor
