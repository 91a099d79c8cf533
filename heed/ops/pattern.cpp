#include "heed/ops/pattern.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "heed/base/error.h"
#include "heed/kernels/attention/patterns/joined_pattern.h"
#include "heed/ops/attention/pattern_node.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using Join = Pattern::Node::Join;

const PatternName& known_name(std::string_view name) {
  for (const PatternName& known : pattern_names()) {
    if (name == known.text) return known;
  }
  std::string names = "full";
  for (const PatternName& known : pattern_names()) names += ", " + known.text;
  throw UsageError(text_of("pattern: there is no '", excerpt_of(name), "'; expected one of ", names,
                           ", and(…,…), or(…,…)"));
}

std::shared_ptr<Pattern::Node> leaf_node(const PatternKind& kind, PatternLeaf leaf) {
  for (size_t i = 0; i < leaf.numbers.size(); ++i) {
    if (leaf.numbers[i] <= Pattern::kLargestNumber) continue;
    throw UsageError(text_of("pattern ", name_of(kind, leaf.alignment), ": ", kind.numbers[i], " ",
                             leaf.numbers[i], ": expected at most ", Pattern::kLargestNumber));
  }
  if (kind.prepare != nullptr) kind.prepare(leaf);
  auto node = std::make_shared<Pattern::Node>();
  node->kind = &kind;
  node->leaf = std::move(leaf);
  return node;
}

std::shared_ptr<const Pattern::Node> join_node(Join join, const Pattern& left,
                                               const Pattern& right) {
  auto node = std::make_shared<Pattern::Node>();
  node->join = join;
  node->left = left;
  node->right = right;
  for (const Pattern* side : {&left, &right}) {
    if (!side->is_full()) node->depth = std::max(node->depth, side->node().depth);
  }
  check_usage(++node->depth <= Pattern::kMostNested, "pattern: more than ", Pattern::kMostNested,
              " patterns joined within one another");
  return node;
}

// Reads an expression such as "and(causal,or(window,mask))".
class Parser {
 public:
  explicit Parser(const Pattern::Parts& parts) : parts_(parts), rest_(parts.expression) {}

  Pattern parse() {
    const Pattern whole = expression();
    if (!rest_.empty()) fail("unexpected text");
    check_usage(tensor_ == parts_.tensors.size() && number_ == parts_.numbers.size(), "pattern '",
                excerpt_of(parts_.expression), "' takes ", tensor_, " tensors and ", number_,
                " numbers, got ", parts_.tensors.size(), " and ", parts_.numbers.size());
    return whole;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw UsageError(text_of("pattern '", excerpt_of(parts_.expression), "': ", what, " at '",
                             excerpt_of(rest_), "'; expected a name, and(…,…) or or(…,…)"));
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  void take(char expected) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != expected) fail("no bracket or comma");
    rest_.remove_prefix(1);
    skip_spaces();
  }

  std::string_view name() {
    skip_spaces();
    size_t length = 0;
    while (length < rest_.size() && std::strchr("(), ", rest_[length]) == nullptr) ++length;
    const auto found = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_spaces();
    return found;
  }

  Pattern expression() {
    const auto word = name();
    if (word == "full") return {};
    if (word == "and" || word == "or") {
      if (++nested_ > Pattern::kMostNested) {
        fail(text_of("more than ", Pattern::kMostNested, " joined within one another").c_str());
      }
      take('(');
      const Pattern left = expression();
      take(',');
      const Pattern right = expression();
      take(')');
      --nested_;
      return word == "and" ? left & right : left | right;
    }
    return leaf(known_name(word));
  }

  Pattern leaf(const PatternName& known) {
    const PatternKind& kind = *known.kind;
    check_usage(tensor_ + kind.tensors.size() <= parts_.tensors.size() &&
                    number_ + kind.numbers.size() <= parts_.numbers.size(),
                "pattern '", excerpt_of(parts_.expression), "': too few tensors (",
                parts_.tensors.size(), ") or numbers (", parts_.numbers.size(), "); '", known.text,
                "' alone takes ", kind.tensors.size(), " and ", kind.numbers.size());
    PatternLeaf own{.alignment = known.alignment};
    for (size_t i = 0; i < kind.tensors.size(); ++i) {
      own.tensors.push_back(parts_.tensors[tensor_++]);
    }
    for (size_t i = 0; i < kind.numbers.size(); ++i) {
      own.numbers.push_back(parts_.numbers[number_++]);
    }
    return Pattern(leaf_node(kind, std::move(own)));
  }

  const Pattern::Parts& parts_;
  std::string_view rest_;
  size_t tensor_ = 0;
  size_t number_ = 0;
  int nested_ = 0;
};

// The tensor from the bits of the kernels' pattern, for a kind without a formula of its own.
at::Tensor mask_from_bits(const kernels::Pattern& pattern, const Pattern::Sizes& sizes,
                          at::Device device) {
  const int64_t batch = pattern.varies_by_batch() ? sizes.batch : 1;
  const int64_t heads = pattern.varies_by_head() ? sizes.heads : 1;
  auto result = at::empty({batch, heads, sizes.queries, sizes.keys}, at::kBool);
  bool* out = result.data_ptr<bool>();
  std::vector<uint64_t> columns(sizes.keys);
  for (int64_t plane = 0; plane < batch * heads; ++plane) {
    for (int64_t begin = 0; begin < sizes.queries; begin += 64) {
      const kernels::Range queries{begin, std::min(begin + 64, sizes.queries)};
      if (sizes.keys > 0) {
        pattern.allowed(plane / heads, plane % heads, queries, {0, sizes.keys}, columns.data());
      }
      for (int64_t i = 0; i < queries.size(); ++i) {
        for (int64_t j = 0; j < sizes.keys; ++j) *out++ = (columns[j] >> i & 1) != 0;
      }
    }
  }
  return result.to(device);
}

kernels::PatternPtr kernel_of(const Pattern::Node& node, const Pattern::Sizes& sizes) {
  if (node.join == Join::kLeaf) return node.kind->kernel(node.leaf, sizes);
  const auto left = node.left.kernel(sizes);
  const auto right = node.right.kernel(sizes);
  return node.join == Join::kAnd ? kernels::both(left, right) : kernels::either(left, right);
}

void append_parts(const Pattern& pattern, Pattern::Parts& parts) {
  if (pattern.is_full()) {
    parts.expression += "full";
    return;
  }
  const Pattern::Node& node = pattern.node();
  if (node.join == Join::kLeaf) {
    const PatternLeaf& leaf = node.leaf;
    parts.expression += name_of(*node.kind, leaf.alignment);
    parts.tensors.insert(parts.tensors.end(), leaf.tensors.begin(), leaf.tensors.end());
    parts.numbers.insert(parts.numbers.end(), leaf.numbers.begin(), leaf.numbers.end());
    return;
  }
  parts.expression += node.join == Join::kAnd ? "and(" : "or(";
  append_parts(node.left, parts);
  parts.expression += ",";
  append_parts(node.right, parts);
  parts.expression += ")";
}

void append_tensors(const Pattern& pattern, std::vector<at::Tensor>& to) {
  if (pattern.is_full()) return;
  const Pattern::Node& node = pattern.node();
  to.insert(to.end(), node.leaf.tensors.begin(), node.leaf.tensors.end());
  append_tensors(node.left, to);
  append_tensors(node.right, to);
}

std::string leaf_description(const PatternKind& kind, const PatternLeaf& leaf) {
  std::string text = name_of(kind, leaf.alignment);
  const char* between = "(";
  for (size_t i = 0; i < leaf.numbers.size(); ++i) {
    text += text_of(between, kind.numbers[i], " ", leaf.numbers[i]);
    between = ", ";
  }
  for (size_t i = 0; i < leaf.tensors.size(); ++i) {
    text += text_of(between, kind.tensors[i], " ", leaf.tensors[i].sizes());
    between = ", ";
  }
  return leaf.numbers.empty() && leaf.tensors.empty() ? text : text + ")";
}

std::shared_ptr<const Pattern::Node> node_of(const char* name, std::vector<at::Tensor> tensors,
                                             std::vector<int64_t> numbers,
                                             Alignment alignment = Alignment::kBottomRight) {
  return leaf_node(*known_name(name).kind, {std::move(tensors), std::move(numbers), alignment});
}

}  // namespace

std::vector<at::Tensor> tensors_of(const Pattern& pattern) {
  std::vector<at::Tensor> tensors;
  append_tensors(pattern, tensors);
  return tensors;
}

Pattern Pattern::causal(Alignment alignment) {
  return Pattern(node_of("causal", {}, {}, alignment));
}

Pattern Pattern::window(Window window) {
  return Pattern(node_of("window", {}, {window.left, window.right}, window.alignment));
}

Pattern Pattern::dilated(DilatedWindow window) {
  return Pattern(
      node_of("dilated", {}, {window.left, window.right, window.dilation}, window.alignment));
}

Pattern Pattern::global_tokens(int64_t count) {
  return Pattern(node_of("global_tokens", {}, {count}));
}

Pattern Pattern::prefix_lm(const at::Tensor& lengths) {
  return Pattern(node_of("prefix_lm", {lengths}, {}));
}

Pattern Pattern::block_sparse(const BlockMask& mask) {
  return Pattern(node_of("block_sparse", {mask.allowed}, {mask.query_block, mask.key_block}));
}

Pattern Pattern::graph(const Csr& edges) {
  return Pattern(node_of("graph", {edges.offsets, edges.columns}, {}));
}

Pattern Pattern::packed(const PackedOffsets& offsets) {
  return Pattern(
      node_of("packed", {offsets.query, offsets.key.defined() ? offsets.key : offsets.query}, {}));
}

Pattern Pattern::padded(const PaddedLengths& lengths) {
  if (!lengths.query.defined()) return Pattern(node_of("padded", {lengths.key}, {}));
  return Pattern(node_of("padded_both", {lengths.key, lengths.query}, {}));
}

Pattern Pattern::from_mask(const at::Tensor& may_attend) {
  return Pattern(node_of("mask", {may_attend}, {}));
}

Pattern Pattern::from_torch_padding_mask(const at::Tensor& ignored) {
  check_usage(
      ignored.defined() && ignored.scalar_type() == at::kBool && ignored.dim() == 2,
      "Pattern::from_torch_padding_mask: expected a tensor of bool (B, Nk), true = ignored, "
      "got ",
      ignored.defined() ? text_of(ignored.scalar_type(), " of shape ", ignored.sizes())
                        : std::string("an undefined tensor"));
  // By its bytes: any but 0 is true.
  return from_mask((ignored.view(at::kByte) == 0).unsqueeze(1).unsqueeze(1));
}

Pattern operator&(const Pattern& a, const Pattern& b) {
  if (a.is_full()) return b;
  if (b.is_full()) return a;
  return Pattern(join_node(Join::kAnd, a, b));
}

Pattern operator|(const Pattern& a, const Pattern& b) {
  if (a.is_full() || b.is_full()) return {};
  return Pattern(join_node(Join::kOr, a, b));
}

std::string Pattern::description() const {
  if (is_full()) return "full";
  if (node_->join == Join::kLeaf) return leaf_description(*node_->kind, node_->leaf);
  // `and` binds closer than `or`.
  const auto side = [&](const Pattern& part) {
    const bool loose = !part.is_full() && part.node_->join == Join::kOr;
    const auto text = part.description();
    return node_->join == Join::kAnd && loose ? "(" + text + ")" : text;
  };
  return side(node_->left) + (node_->join == Join::kAnd ? " & " : " | ") + side(node_->right);
}

void Pattern::check(const Sizes& sizes) const {
  if (is_full()) return;
  if (node_->join != Join::kLeaf) {
    node_->left.check(sizes);
    node_->right.check(sizes);
  } else if (node_->kind->check != nullptr) {
    node_->kind->check(node_->leaf, sizes);
  }
}

kernels::PatternPtr Pattern::kernel(const Sizes& sizes) const {
  if (is_full()) return nullptr;
  check(sizes);
  return kernel_of(*node_, sizes);
}

at::Tensor Pattern::mask(const Sizes& sizes, at::Device device) const {
  if (is_full()) return {};
  if (node_->join != Join::kLeaf) {
    const auto left = node_->left.mask(sizes, device);
    const auto right = node_->right.mask(sizes, device);
    return node_->join == Join::kAnd ? left & right : left | right;
  }
  if (node_->kind->mask != nullptr) return node_->kind->mask(node_->leaf, sizes, device);
  return mask_from_bits(*kernel(sizes), sizes, device);
}

Pattern::Parts Pattern::parts() const {
  Parts parts{.expression = {}};
  append_parts(*this, parts);
  return parts;
}

Pattern Pattern::from_parts(const Parts& parts) { return Parser(parts).parse(); }

}  // namespace heed
