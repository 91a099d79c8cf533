// Which keys each query may see: a dot for no, an x for yes.
#include <ATen/ATen.h>

#include <iostream>
#include <string>

#include "heed/attention.h"

namespace {

constexpr int64_t kTokens = 8;

void draw(const std::string& name, const heed::Pattern& pattern) {
  std::cout << name << '\n';
  const heed::Pattern::Sizes sizes{.batch = 1, .heads = 1, .queries = kTokens, .keys = kTokens};
  const at::Tensor mask = pattern.is_full()
                              ? at::ones({kTokens, kTokens}, at::kBool)
                              : pattern.mask(sizes, at::kCPU).expand({1, 1, kTokens, kTokens});
  const at::Tensor rows = mask.reshape({kTokens, kTokens});
  for (int64_t i = 0; i < kTokens; ++i) {
    for (int64_t j = 0; j < kTokens; ++j) std::cout << (rows[i][j].item<bool>() ? "x " : ". ");
    std::cout << '\n';
  }
}

at::Tensor numbers(std::initializer_list<int64_t> values) { return at::tensor(values, at::kLong); }

}  // namespace

int main() {
  using heed::Pattern;
  draw("full", Pattern::full());
  draw("causal: nothing that comes later", Pattern::causal());
  draw("window of 1 to the left and 2 to the right", Pattern::window({.left = 1, .right = 2}));
  draw("dilated: every second of 4 to each side",
       Pattern::dilated({.left = 2, .right = 2, .dilation = 2}));
  draw("global: token 0 sees all and is seen by all, and a window",
       Pattern::global_tokens(1) | Pattern::window({.left = 1, .right = 1}));
  draw("prefix of 3 tokens, causal behind it", Pattern::prefix_lm(numbers({3})));
  draw("blocks of 4 × 4",
       Pattern::block_sparse({.allowed = at::eye(2).to(at::kBool).view({1, 1, 2, 2}),
                              .query_block = 4,
                              .key_block = 4}));
  draw("graph: each token sees itself and the one across",
       Pattern::graph({.offsets = at::arange(0, 17, 2, at::kLong),
                       .columns = numbers({0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7})}));
  draw("packed: two texts of 3 and 5 tokens in one row",
       Pattern::packed({.query = numbers({0, 3, 8})}));
  draw("padded: 6 real tokens", Pattern::padded({.key = numbers({6}), .query = numbers({6})}));
  draw("a mask of one's own: all but itself", Pattern::from_mask(at::eye(kTokens).logical_not()));
  draw("both at once: causal and a window of 2",
       Pattern::causal() & Pattern::window({.left = 2, .right = 0}));
}
