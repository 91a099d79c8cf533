// Large JSON objects for writing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heed/io/json.h"

namespace heed {

// An object of members whose names differ. (Adding them to an OrderedJson by name would compare
// each name with all before it.)
OrderedJson object_of(std::vector<std::pair<std::string, OrderedJson>> members);

}  // namespace heed
