// Which keys each query may attend to, as a small value: patterns are made by name, combined with
// `&` and `|`, and given to heed::attention.
//
//   Pattern::causal() & Pattern::window({.left = 127, .right = 0})
//
// True always means "may attend". There is no bare boolean tensor in the API: from_mask takes one
// in Heed's sense, from_torch_padding_mask one in the opposite sense of torch's key_padding_mask.
//
// Positions: query i stands at position p(i) among the keys. With the ends aligned (bottom right,
// the default) p(i) = i + Nk − Nq; with the starts aligned (top left) p(i) = i. Both are the same
// where Nq = Nk.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace heed {

namespace kernels {
class Pattern;
using PatternPtr = std::shared_ptr<const Pattern>;
}  // namespace kernels

enum class Alignment : uint8_t { kBottomRight, kTopLeft };

class Pattern {
 public:
  // Keys from p(i) − left to p(i) + right, both included; −1: unlimited.
  //                                                        Beltagy et al. 2020, section 3.1
  struct Window {
    int64_t left = -1;
    int64_t right = -1;
    Alignment alignment = Alignment::kBottomRight;
  };
  // Keys p(i) + t · dilation for −left <= t <= right; −1: unlimited.      same section
  struct DilatedWindow {
    int64_t left = -1;
    int64_t right = -1;
    int64_t dilation = 1;
    Alignment alignment = Alignment::kBottomRight;
  };
  // Blocks of query_block × key_block pairs; the last ones may be cut off by the end.
  struct BlockMask {
    at::Tensor allowed;  // bool (B or 1, H or 1, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉)
    int64_t query_block = 64;
    int64_t key_block = 64;
  };
  // Keys of query i: columns[offsets[i] .. offsets[i + 1]), ascending, none twice.
  struct Csr {
    at::Tensor offsets;  // int64 (Nq + 1), from 0 to the number of columns
    at::Tensor columns;  // int64 (edges), 0 <= column < Nk
  };
  // Sequences one after the other in one row: query i and key j see each other where both are in
  // the same sequence. What lies behind the last offset belongs to no sequence.
  struct PackedOffsets {
    at::Tensor query;     // int64 (sequences + 1), from 0, not descending, at most Nq
    at::Tensor key = {};  // the same for keys, at most Nk; undefined: the same as query
  };
  // Sequences filled up at the end.
  struct PaddedLengths {
    at::Tensor key;         // int64 (B): how many keys are there
    at::Tensor query = {};  // int64 (B): how many queries are there; undefined: all
  };

  // How many patterns may be joined within one another, and how many names a text may have: far
  // more than anyone needs, and few enough for every walk over them.
  static constexpr int kMostNested = 256;
  // The largest of a pattern's numbers (reaches, blocks, counts).
  static constexpr int64_t kLargestNumber = int64_t{1} << 31;

  Pattern() = default;  // full

  static Pattern full() { return {}; }
  static Pattern causal(Alignment alignment = Alignment::kBottomRight);  // j <= p(i)
  static Pattern window(Window window);
  static Pattern dilated(DilatedWindow window);
  // The first `count` positions see every key and are seen by every query.
  static Pattern global_tokens(int64_t count);  //                   Zaheer et al. 2020, section 2
  // Keys before lengths[b] are seen by all, the others causally. int64 (B), or (1) for all.
  static Pattern prefix_lm(const at::Tensor& lengths);  //           Raffel et al. 2020, figure 4
  static Pattern block_sparse(const BlockMask& mask);
  static Pattern graph(const Csr& edges);
  static Pattern packed(const PackedOffsets& offsets);
  static Pattern padded(const PaddedLengths& lengths);
  // bool (B or 1, H or 1, Nq or 1, Nk); true = may attend. Fewer dimensions are filled up with
  // ones in front, as everywhere in torch.
  static Pattern from_mask(const at::Tensor& may_attend);
  // torch's key_padding_mask: bool (B, Nk), true = IGNORED.
  static Pattern from_torch_padding_mask(const at::Tensor& ignored);

  // UsageError where more than kMostNested stand within one another.
  friend Pattern operator&(const Pattern& a, const Pattern& b);  // allowed by both
  friend Pattern operator|(const Pattern& a, const Pattern& b);  // allowed by one or the other

  bool is_full() const { return node_ == nullptr; }
  struct Node;                                 // in pattern_node.h
  const Node& node() const { return *node_; }  // where not full

  // For people: "causal & window(127, 0)".
  std::string description() const;

  struct Sizes {
    int64_t batch = 0;
    int64_t heads = 0;
    int64_t queries = 0;
    int64_t keys = 0;
  };
  // Throws UsageError where the pattern's tensors do not fit these sizes or hold values that
  // cannot be (columns out of range, offsets that descend).
  void check(const Sizes& sizes) const;
  // As the kernels want it; null where full. The result keeps alive what it points to. Checks.
  kernels::PatternPtr kernel(const Sizes& sizes) const;
  // A bool tensor on `device`, broadcastable to (B, H, Nq, Nk); undefined where full. No checks
  // of values, so that no device has to be waited for.
  at::Tensor mask(const Sizes& sizes, at::Device device) const;

  // The same pattern as plain data, for torch operators: an expression such as
  // "and(causal,window)" and, in the order of its names, the tensors and numbers they take
  // (docs/adding_a_pattern.md lists them).
  struct Parts {
    std::string expression = "full";
    std::vector<at::Tensor> tensors = {};
    std::vector<int64_t> numbers = {};
  };
  Parts parts() const;
  static Pattern from_parts(const Parts& parts);  // throws UsageError

  explicit Pattern(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

 private:
  std::shared_ptr<const Node> node_;  // null: full
};

}  // namespace heed
