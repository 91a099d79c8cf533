#include "heed/nn/feed_forward.h"

#include <ATen/ATen.h>

namespace heed::nn {

FeedForward::FeedForward(const FeedForwardOptions& options) : options_(options) {
  up = register_module(
      "up", std::make_shared<Linear>(LinearOptions{.in = options.width, .out = options.hidden}));
  down = register_module(
      "down", std::make_shared<Linear>(LinearOptions{.in = options.hidden, .out = options.width}));
}

at::Tensor FeedForward::forward(const at::Tensor& input) const {
  at::Tensor hidden = up->forward(input, options_.activation);
  hidden = at::dropout(hidden, options_.dropout, is_training());
  return down->forward(hidden);
}

}  // namespace heed::nn
