// How the commands of named entities read their files.
#pragma once

#include "heed/cli/common.h"
#include "heed/data/texts/ner_data.h"
#include "heed/models/files/columns_json.h"

namespace heed::cli {

// --format auto, conll, jsonl or json; --text-column is the number of the word's column, and
// the tag stands in the last. `known`: the columns that a model was trained with. Throws UsageError
// for what such files do not have.
data::NerReadOptions ner_reading(const ReadingOptions& reading,
                                 const models::DataColumns& known = {});

}  // namespace heed::cli
