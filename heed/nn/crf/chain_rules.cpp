#include "heed/nn/crf/chain_rules.h"

#include "heed/base/error.h"

namespace heed::nn {

ChainRules::ChainRules(int64_t tags) {
  check_usage(tags > 0, "chain rules: expected at least one tag, got ", tags);
  const auto count = static_cast<size_t>(tags);
  allowed_ = {std::vector<uint8_t>(count * count, 1), std::vector<uint8_t>(count, 1),
              std::vector<uint8_t>(count, 1)};
  index();
}

ChainRules::ChainRules(const Allowed& allowed) : allowed_(allowed) {
  const size_t count = allowed.begin.size();
  check_usage(
      count > 0 && allowed.end.size() == count && allowed.transitions.size() == count * count,
      "chain rules: expected K values for begin and end and K x K for transitions, got ", count,
      ", ", allowed.end.size(), " and ", allowed.transitions.size());
  bool any = false;
  for (size_t k = 0; k < count; ++k) any |= allowed.begin[k] != 0 && allowed.end[k] != 0;
  check_usage(any, "chain rules: expected a tag that may be the only one of a sequence");
  index();
}

void ChainRules::index() {
  const auto count = static_cast<int32_t>(allowed_.begin.size());
  before_.resize(allowed_.begin.size());
  behind_.resize(allowed_.begin.size());
  for (int32_t j = 0; j < count; ++j) {
    for (int32_t k = 0; k < count; ++k) {
      if (!may_follow(j, k)) continue;
      before_[static_cast<size_t>(k)].push_back(j);
      behind_[static_cast<size_t>(j)].push_back(k);
    }
  }
}

}  // namespace heed::nn
