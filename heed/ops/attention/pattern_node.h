// How a Pattern is built inside: a tree of `and`, `or` and leaves; a leaf is of a kind and holds
// the tensors and numbers that its kind takes. pattern_kinds() is the list of kinds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/kernels/attention/patterns/pattern.h"
#include "heed/ops/pattern.h"

namespace heed {

struct PatternLeaf {
  std::vector<at::Tensor> tensors = {};
  std::vector<int64_t> numbers = {};
  Alignment alignment = Alignment::kBottomRight;
};

// p(0): what is added to the index of a query to get its position among the keys.
inline int64_t query_offset(const PatternLeaf& leaf, const Pattern::Sizes& sizes) {
  return leaf.alignment == Alignment::kTopLeft ? 0 : sizes.keys - sizes.queries;
}

// One pattern by name. Adding a pattern adds one of these to the list in pattern_kinds.cpp.
struct PatternKind {
  const char* name;
  // What a leaf of this kind takes, by name: "left", "right"; "offsets", "columns".
  std::vector<const char*> numbers;
  std::vector<const char*> tensors;
  // Brings the tensors to the dtype and number of dimensions that the others rely on; throws
  // UsageError where numbers or tensors cannot be right with any sizes. null: nothing to do.
  void (*prepare)(PatternLeaf& leaf);
  // Throws UsageError where the leaf cannot be used with these sizes; null: nothing to check.
  void (*check)(const PatternLeaf& leaf, const Pattern::Sizes& sizes);
  kernels::PatternPtr (*kernel)(const PatternLeaf& leaf, const Pattern::Sizes& sizes);
  // bool, broadcastable to (B, H, Nq, Nk), by tensor operations on `device`; null: from the bits
  // of `kernel`.
  at::Tensor (*mask)(const PatternLeaf& leaf, const Pattern::Sizes& sizes, at::Device device);
  bool has_alignment = false;  // else the ends of queries and keys are aligned
};

const std::vector<PatternKind>& pattern_kinds();

// A name by which a text knows a kind: one with an alignment has two, "causal" and
// "causal_top_left".
struct PatternName {
  std::string text;
  const PatternKind* kind;
  Alignment alignment;
};
const std::vector<PatternName>& pattern_names();
std::string name_of(const PatternKind& kind, Alignment alignment);

// The tensors of all leaves.
std::vector<at::Tensor> tensors_of(const Pattern& pattern);

struct Pattern::Node {
  enum class Join : uint8_t { kLeaf, kAnd, kOr };
  Join join = Join::kLeaf;
  const PatternKind* kind = nullptr;  // of a leaf
  PatternLeaf leaf;
  Pattern left;  // of a join
  Pattern right;
  int depth = 0;  // joins within one another, of a join
};

}  // namespace heed
