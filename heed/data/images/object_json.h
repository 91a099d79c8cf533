// What readers of COCO's files have in common. Used inside this folder.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/data/limits.h"
#include "heed/io/json.h"

namespace heed::data {

// As large as memory allows: a tree takes up to 30 times its text.
inline JsonValue read_object_json(const std::filesystem::path& file, const Limits& limits) {
  return read_json(file, {.max_bytes = bytes_allowed(limits) / 30});
}

// Where a box may be, either way: areas and sums of what is less are finite.
inline constexpr double kFarthestPixel = 1e9;

// x, y, width and height.
inline std::array<double, 4> box_from(const JsonValue& item) {
  const JsonValue box = item.at("bbox");
  if (box.array_size() != 4) box.fail("four numbers: x, y, width and height");
  const NumberRange range{.least = -kFarthestPixel, .most = kFarthestPixel};
  return {box.at(0).number(range), box.at(1).number(range), box.at(2).number(range),
          box.at(3).number(range)};
}

// Gives each item of a list to `read`, and what it throws as DataError, without the name of the
// file, to `bad`.
template <typename Read, typename Bad>
void for_each_item(const JsonValue& list, const Read& read, const Bad& bad) {
  const std::string file = list.file() + ": ";
  for (size_t i = 0, count = list.array_size(); i < count; ++i) {
    try {
      read(list.at(i));
    } catch (const DataError& error) {
      const std::string_view what = error.what();
      bad(std::string(what.substr(what.starts_with(file) ? file.size() : 0)));
    }
  }
}

}  // namespace heed::data
