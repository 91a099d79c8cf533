// Measures as JSON.
#pragma once

#include "heed/io/json.h"
#include "heed/metrics/classification.h"

namespace heed::cli {

// {"precision": …, "recall": …, "f1": …, "support": …}
OrderedJson json_of(const metrics::PrecisionRecall& score);

}  // namespace heed::cli
