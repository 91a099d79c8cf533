// JSON objects of a file: one on each line, or all in one document.
#pragma once

#include <functional>

#include "heed/data/rows.h"
#include "heed/io/json.h"

namespace heed::data {

// Calls take(object, number) for each object of `lines`: of kJsonl its line, blank ones skipped; of
// kJson its place in the array, or in the array "data" of the object, from 1. What is no JSON
// object, and one for which `take` throws DataError, is reported as a malformed row. Throws
// DataError for a document that is no JSON, or larger than 512 MiB.
void read_json_objects(TextLines& lines, const FileLayout& kind,
                       const std::function<void(const JsonValue&, int64_t)>& take);

// All lines that are left as one document.
JsonValue read_json_document(TextLines& lines);

}  // namespace heed::data
