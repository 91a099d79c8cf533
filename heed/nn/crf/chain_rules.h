// Which tags of a sequence may follow which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heed::nn {

// A byte for each pair of tags, 0 forbids. Every tag needs a sequence that holds it.
class ChainRules {
 public:
  // All K tags in any order.
  explicit ChainRules(int64_t tags);

  // `transitions` has K² values, row by row; `begin` and `end` K. Throws UsageError for other sizes
  // and where no sequence of one position is allowed.
  struct Allowed {
    std::vector<uint8_t> transitions;
    std::vector<uint8_t> begin;
    std::vector<uint8_t> end;
  };
  explicit ChainRules(const Allowed& allowed);

  int64_t tags() const { return static_cast<int64_t>(before_.size()); }
  bool may_begin(int64_t tag) const { return allowed_.begin[static_cast<size_t>(tag)] != 0; }
  bool may_end(int64_t tag) const { return allowed_.end[static_cast<size_t>(tag)] != 0; }
  bool may_follow(int64_t before, int64_t tag) const {
    return allowed_.transitions[static_cast<size_t>(before * tags() + tag)] != 0;
  }
  // The tags that may stand before `tag`, and behind it.
  const std::vector<int32_t>& before(int64_t tag) const {
    return before_[static_cast<size_t>(tag)];
  }
  const std::vector<int32_t>& behind(int64_t tag) const {
    return behind_[static_cast<size_t>(tag)];
  }

 private:
  void index();

  Allowed allowed_;
  std::vector<std::vector<int32_t>> before_;
  std::vector<std::vector<int32_t>> behind_;
};

}  // namespace heed::nn
