// The names of classes in config.json: id2label and label2id (docs/model_directory.md).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "heed/io/json.h"

namespace heed::models {

// The two fields, to be put among the others of the config.
OrderedJson labels_json(const std::vector<std::string>& labels);

// Throws UsageError where the names take more of config.json than can be read again: before
// training.
void check_labels_fit(const std::vector<std::string>& labels);

// The classes of id2label, whose keys must be 0 .. count − 1. Throws DataError naming the file and
// the field where there are fewer than `least`, or two of one name.
std::vector<std::string> labels_from(const JsonValue& config, size_t least = 2);

}  // namespace heed::models
