// The index of a model whose weights are in several files: "weight_map" says in which each tensor
// is.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "heed/io/json.h"

namespace heed {

// The names of the files. Throws DataError for one that is not a file of the index's own directory
// with that ending: the text of an index is not trusted.
std::set<std::string> files_of_weight_map(const JsonValue& index, std::string_view ending);

}  // namespace heed
