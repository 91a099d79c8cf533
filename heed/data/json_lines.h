// JSON lines: an object on each line, faults reported with their line.
#pragma once

#include <functional>

#include "heed/data/rows.h"
#include "heed/io/json.h"

namespace heed::data {

// Calls take(object, number of its line) for each line that is not blank. A line that is no JSON
// object, and one for which `take` throws DataError, is reported as a malformed row.
void read_json_lines(TextLines& lines, const std::function<void(const JsonValue&, int64_t)>& take);

}  // namespace heed::data
