#include "heed/ops/hierarchical.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed {
namespace {

// The segments of one level: which one each item is in, and how many items each has.
class Segments {
 public:
  Segments(const at::Tensor& offsets, int64_t items, size_t level) {
    check_usage(offsets.defined() && offsets.dim() == 1 && offsets.size(0) > 0 &&
                    offsets.scalar_type() == at::kLong,
                "hierarchical_attention: the offsets of level ", level,
                " must be a tensor of int64 with one dimension");
    const auto lengths = offsets.slice(0, 1) - offsets.slice(0, 0, -1);
    check_usage(offsets[0].item<int64_t>() == 0 && offsets[-1].item<int64_t>() == items &&
                    (lengths >= 0).all().item<bool>(),
                "hierarchical_attention: the offsets of level ", level, " must go from 0 to ",
                items, " without descending, got ", offsets[0].item<int64_t>(), " to ",
                offsets[-1].item<int64_t>());
    of_item_ = at::repeat_interleave(lengths);
    lengths_ = lengths.clamp_min(1);
  }

  // (B, H, items, size) -> (B, H, segments, size); the mean of an empty segment is 0.
  at::Tensor means(const at::Tensor& items) const {
    const std::array<int64_t, 4> shape{items.size(0), items.size(1), lengths_.size(0),
                                       items.size(3)};
    // Sums in float32 at least: bfloat16 stops adding at 256.
    const auto wide = items.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const auto sums = at::zeros(shape, items.options().dtype(wide))
                          .index_add(2, of_item_.to(items.device()), items.to(wide));
    return (sums / lengths_.to(items.device(), wide).unsqueeze(1)).to(items.scalar_type());
  }

  // (B, H, segments, size) -> (B, H, items, size)
  at::Tensor spread(const at::Tensor& segments) const {
    return segments.index_select(2, of_item_.to(segments.device()));
  }

 private:
  at::Tensor of_item_;
  at::Tensor lengths_;
};

// (B, Hk, N, ·) -> (B, H, N, ·): the output of a level has the heads of the queries.
at::Tensor for_heads(const at::Tensor& rows, int64_t heads) {
  if (rows.size(1) == heads || rows.size(1) == 0) return rows;
  return rows.repeat_interleave(heads / rows.size(1), 1);
}

}  // namespace

HierarchicalResult hierarchical_attention(const at::Tensor& query, const at::Tensor& key,
                                          const at::Tensor& value, const Hierarchy& hierarchy,
                                          const HierarchicalOptions& options) {
  check_usage(query.dim() == 4 && key.dim() == 4 && query.size(2) == key.size(2),
              "hierarchical_attention: query and key must be as long as each other, got ",
              query.sizes(), " and ", key.sizes());
  check_usage(!options.attention.bias, "hierarchical_attention: a dense bias fits one level only");
  HierarchicalResult result;
  std::vector<Segments> below;
  at::Tensor q = query;
  at::Tensor k = key;
  at::Tensor v = value;
  for (size_t level = 0; level <= hierarchy.offsets.size(); ++level) {
    AttentionOptions here = options.attention;
    if (level > 0) here.pattern = options.summary_pattern;
    if (level < hierarchy.offsets.size()) {
      const auto& offsets = hierarchy.offsets[level];
      below.emplace_back(offsets, q.size(2), level);
      here.pattern = here.pattern & Pattern::packed({.query = offsets});
    }
    result.levels.push_back(attention(q, k, v, here));
    const auto& output = result.levels.back().output;

    at::Tensor of_tokens = output;
    for (size_t i = level; i-- > 0;) of_tokens = below[i].spread(of_tokens);
    result.output = level == 0 ? of_tokens : result.output + of_tokens;
    if (level == hierarchy.offsets.size()) break;
    q = below.back().means(q);
    k = for_heads(below.back().means(k), query.size(1));
    v = below.back().means(output);
  }
  return result;
}

}  // namespace heed
