#include "heed/cli/writing/score_json.h"

#include <nlohmann/json.hpp>

namespace heed::cli {

OrderedJson json_of(const metrics::PrecisionRecall& score) {
  return {{"precision", score.precision},
          {"recall", score.recall},
          {"f1", score.f1},
          {"support", score.support}};
}

}  // namespace heed::cli
