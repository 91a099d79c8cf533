#include "heed/cli/options/model_options.h"

#include <algorithm>

namespace heed::cli {

models::TransformerOptions resolved(models::TransformerOptions options) {
  if (options.d_ff == 0) {
    const bool gated = nn::feed_forward_kind_from(options.activation).gated;
    options.d_ff = gated ? 8 * options.d_model / 3 : 4 * options.d_model;
  }
  models::TransformerOptions checked = options;
  checked.max_length = std::max<int64_t>(options.max_length, 1);  // 0: the task knows later
  models::check(checked);
  return options;
}

}  // namespace heed::cli
