#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/patterns/graph.h"
#include "heed/kernels/attention/patterns/lengths.h"
#include "heed/kernels/attention/patterns/table.h"
#include "heed/kernels/attention/patterns/tokens.h"
#include "heed/kernels/attention/patterns/window.h"
#include "heed/ops/attention/graph_columns.h"
#include "heed/ops/attention/pattern_masks.h"
#include "heed/ops/attention/pattern_node.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using Leaf = PatternLeaf;
using Sizes = Pattern::Sizes;

TensorText sizes_of(const at::Tensor& tensor) { return {tensor}; }

// Index tensors as the kinds want them: int64, contiguous.
void prepare_integers(Leaf& leaf) {
  for (at::Tensor& tensor : leaf.tensors) {
    check_usage(tensor.defined() && tensor.dim() == 1 &&
                    at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false),
                "pattern: lengths, offsets and columns must be tensors of integers with one "
                "dimension, got ",
                sizes_of(tensor));
    tensor = tensor.to(at::kLong).contiguous();
  }
}

void prepare_booleans(Leaf& leaf) {
  at::Tensor& mask = leaf.tensors[0];
  check_usage(mask.defined() && mask.scalar_type() == at::kBool && mask.dim() <= 4,
              "pattern: a mask must be a tensor of bool with at most four dimensions, true = may "
              "attend, got ",
              sizes_of(mask));
  while (mask.dim() < 4) mask = mask.unsqueeze(0);
}

std::vector<int64_t> values_of(const at::Tensor& tensor) {
  const auto here = tensor.cpu();
  const int64_t* data = here.const_data_ptr<int64_t>();
  return {data, data + here.numel()};
}

// --- windows ----------------------------------------------------------------------------------

void prepare_window(Leaf& leaf) {
  check_usage(leaf.numbers[0] >= -1 && leaf.numbers[1] >= -1, "pattern: window with left ",
              leaf.numbers[0], " and right ", leaf.numbers[1],
              ": each must be 0 or more, or −1 for unlimited");
}

void prepare_dilated(Leaf& leaf) {
  prepare_window(leaf);
  check_usage(leaf.numbers[2] >= 1, "pattern: dilation ", leaf.numbers[2], " must be 1 or more");
}

kernels::PatternPtr causal(const Leaf& leaf, const Sizes& sizes) {
  return kernels::window_pattern({.right = 0, .query_offset = query_offset(leaf, sizes)});
}

kernels::PatternPtr window(const Leaf& leaf, const Sizes& sizes) {
  return kernels::window_pattern({.left = leaf.numbers[0],
                                  .right = leaf.numbers[1],
                                  .query_offset = query_offset(leaf, sizes)});
}

kernels::PatternPtr dilated(const Leaf& leaf, const Sizes& sizes) {
  return kernels::window_pattern({.left = leaf.numbers[0],
                                  .right = leaf.numbers[1],
                                  .dilation = leaf.numbers[2],
                                  .query_offset = query_offset(leaf, sizes)});
}

// --- special tokens ---------------------------------------------------------------------------

void prepare_global_tokens(Leaf& leaf) {
  check_usage(leaf.numbers[0] >= 0, "pattern: ", leaf.numbers[0],
              " global tokens: expected 0 or more");
}

kernels::PatternPtr global_tokens(const Leaf& leaf, const Sizes& sizes) {
  return kernels::global_tokens_pattern(leaf.numbers[0], query_offset(leaf, sizes));
}

void check_prefix_lm(const Leaf& leaf, const Sizes& sizes) {
  const int64_t count = leaf.tensors[0].size(0);
  check_usage(count == 1 || count == sizes.batch,
              "pattern prefix_lm: expected 1 or B = ", sizes.batch, " lengths, got ", count);
}

kernels::PatternPtr prefix_lm(const Leaf& leaf, const Sizes& sizes) {
  return kernels::prefix_lm_pattern(values_of(leaf.tensors[0]), query_offset(leaf, sizes));
}

// --- lengths ----------------------------------------------------------------------------------

void check_lengths(const char* name, const at::Tensor& lengths, int64_t batch, int64_t most) {
  check_usage(lengths.size(0) == batch, "pattern padded: expected one ", name,
              " length for each of the ", batch, " batches, got ", lengths.size(0));
  for (const int64_t length : values_of(lengths)) {
    check_usage(length >= 0 && length <= most, "pattern padded: a ", name, " length of ", length,
                ": expected 0 to ", most);
  }
}

void check_padded(const Leaf& leaf, const Sizes& sizes) {
  check_lengths("key", leaf.tensors[0], sizes.batch, sizes.keys);
  if (leaf.tensors.size() > 1) {
    check_lengths("query", leaf.tensors[1], sizes.batch, sizes.queries);
  }
}

kernels::PatternPtr padded(const Leaf& leaf, const Sizes&) {
  kernels::PaddedLengths lengths{.keys = values_of(leaf.tensors[0]), .queries = {}};
  if (leaf.tensors.size() > 1) lengths.queries = values_of(leaf.tensors[1]);
  return kernels::padded_pattern(std::move(lengths));
}

// From 0 (or, for the offsets of packed sequences, any start) upwards, ending at most at `most`.
void check_offsets(const char* name, at::ArrayRef<int64_t> offsets, int64_t most) {
  check_usage(!offsets.empty() && offsets.front() == 0, "pattern ", name,
              ": the offsets must begin with 0");
  for (size_t i = 1; i < offsets.size(); ++i) {
    check_usage(offsets[i] >= offsets[i - 1], "pattern ", name, ": offset ", i, " (", offsets[i],
                ") is below the one before it (", offsets[i - 1], ")");
  }
  check_usage(offsets.back() <= most, "pattern ", name, ": the last offset is ", offsets.back(),
              ", but there are only ", most);
}

void check_packed(const Leaf& leaf, const Sizes& sizes) {
  check_usage(leaf.tensors[0].sizes() == leaf.tensors[1].sizes(),
              "pattern packed: expected as many offsets of queries as of keys, got ",
              leaf.tensors[0].sizes(), " and ", leaf.tensors[1].sizes());
  check_offsets("packed (queries)", values_of(leaf.tensors[0]), sizes.queries);
  check_offsets("packed (keys)", values_of(leaf.tensors[1]), sizes.keys);
}

kernels::PatternPtr packed(const Leaf& leaf, const Sizes&) {
  return kernels::packed_pattern(
      {.queries = values_of(leaf.tensors[0]), .keys = values_of(leaf.tensors[1])});
}

// --- graph and tables -------------------------------------------------------------------------

struct Graph {
  const int64_t* offsets;
  const int64_t* columns;
  int64_t keys;

  // Whether edge e of a query may follow a column `before`.
  bool is_right(int64_t e, int64_t before) const {
    return columns[e] > before && columns[e] < keys;
  }
};

// The first query whose columns do not ascend or leave the range of keys; `queries` where there is
// none. By all threads: in a large graph this is a pass over many megabytes.
int64_t first_wrong_row(const Graph& graph, int64_t queries) {
  constexpr int64_t kRowsATime = 4096;
  return at::parallel_reduce(
      0, queries, kRowsATime, queries,
      [&](int64_t begin, int64_t end, int64_t none) {
        for (int64_t i = begin; i < end; ++i) {
          bool right = true;
          int64_t before = -1;
          for (int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
            right &= graph.is_right(e, before);
            before = graph.columns[e];
          }
          if (!right) return i;
        }
        return none;
      },
      [](int64_t a, int64_t b) { return std::min(a, b); });
}

[[noreturn]] void name_wrong_column(const Graph& graph, int64_t query) {
  int64_t before = -1;
  int64_t e = graph.offsets[query];
  for (; graph.is_right(e, before); ++e) before = graph.columns[e];
  throw UsageError(text_of("pattern graph: the columns of query ", query,
                           " must ascend and lie between 0 and ", graph.keys - 1, ", got ",
                           graph.columns[e],
                           before < 0 ? std::string() : text_of(" after ", before)));
}

void check_graph(const Leaf& leaf, const Sizes& sizes) {
  const auto offsets = leaf.tensors[0].cpu();
  const auto columns = leaf.tensors[1].cpu();
  check_usage(offsets.size(0) == sizes.queries + 1,
              "pattern graph: expected Nq + 1 = ", sizes.queries + 1, " offsets, got ",
              offsets.size(0));
  check_usage(offsets[-1].item<int64_t>() == columns.size(0), "pattern graph: the last offset (",
              offsets[-1].item<int64_t>(), ") must be the number of columns (", columns.size(0),
              ")");
  check_offsets("graph", {offsets.const_data_ptr<int64_t>(), static_cast<size_t>(offsets.size(0))},
                columns.size(0));
  const Graph graph{.offsets = offsets.const_data_ptr<int64_t>(),
                    .columns = columns.const_data_ptr<int64_t>(),
                    .keys = sizes.keys};
  const int64_t wrong = first_wrong_row(graph, sizes.queries);
  if (wrong < sizes.queries) name_wrong_column(graph, wrong);
}

kernels::PatternPtr graph(const Leaf& leaf, const Sizes&) {
  const auto tensors = std::make_shared<std::pair<at::Tensor, at::Tensor>>(leaf.tensors[0].cpu(),
                                                                           leaf.tensors[1].cpu());
  return kernels::graph_pattern({.offsets = tensors->first.const_data_ptr<int64_t>(),
                                 .columns = tensors->second.const_data_ptr<int64_t>()},
                                tensors, [tensors](int64_t, int64_t keys, const Workers& workers) {
                                  return graph_columns(tensors->first, tensors->second, keys,
                                                       workers);
                                });
}

void check_table(const char* name, const at::Tensor& table, const Sizes& sizes, int64_t rows,
                 int64_t columns, bool rows_repeat) {
  const bool fits = (table.size(0) == 1 || table.size(0) == sizes.batch) &&
                    (table.size(1) == 1 || table.size(1) == sizes.heads) &&
                    ((rows_repeat && table.size(2) == 1) || table.size(2) == rows) &&
                    table.size(3) == columns;
  check_usage(fits, "pattern ", name, ": expected a tensor of bool (", sizes.batch, " or 1, ",
              sizes.heads, " or 1, ", rows, rows_repeat ? " or 1, " : ", ", columns, "), got ",
              table.sizes());
}

kernels::Table table_of(const at::Tensor& table) {
  const auto stride = [&](int64_t i) { return table.size(i) == 1 ? 0 : table.stride(i); };
  return {.data = static_cast<const uint8_t*>(table.const_data_ptr()),
          .batch = stride(0),
          .head = stride(1),
          .row = stride(2),
          .column = table.stride(3)};
}

void prepare_block_sparse(Leaf& leaf) {
  prepare_booleans(leaf);
  check_usage(leaf.numbers[0] >= 1 && leaf.numbers[1] >= 1, "pattern block_sparse: blocks of ",
              leaf.numbers[0], " × ", leaf.numbers[1], ": each must be 1 or more");
}

void check_block_sparse(const Leaf& leaf, const Sizes& sizes) {
  const int64_t rows = kernels::div_up(sizes.queries, leaf.numbers[0]);
  const int64_t columns = kernels::div_up(sizes.keys, leaf.numbers[1]);
  check_table("block_sparse", leaf.tensors[0], sizes, rows, columns, /*rows_repeat=*/false);
}

kernels::PatternPtr block_sparse(const Leaf& leaf, const Sizes&) {
  const auto table = std::make_shared<at::Tensor>(leaf.tensors[0].cpu());
  return kernels::block_sparse_pattern({.table = table_of(*table),
                                        .query_block = leaf.numbers[0],
                                        .key_block = leaf.numbers[1],
                                        .owner = table});
}

void check_mask(const Leaf& leaf, const Sizes& sizes) {
  check_table("mask", leaf.tensors[0], sizes, sizes.queries, sizes.keys, /*rows_repeat=*/true);
}

kernels::PatternPtr mask(const Leaf& leaf, const Sizes&) {
  const auto table = leaf.tensors[0].cpu();
  return kernels::mask_pattern(table_of(table), {.batch = table.size(0),
                                                 .heads = table.size(1),
                                                 .queries = table.size(2),
                                                 .keys = table.size(3)});
}

}  // namespace

// The list. docs/adding_a_pattern.md says what the columns are.
const std::vector<PatternKind>& pattern_kinds() {
  namespace masks = pattern_masks;
  // clang-format off
  static const std::vector<PatternKind> kinds = {
      {"causal", {}, {}, nullptr, nullptr, causal, masks::causal, /*has_alignment=*/true},
      {"window", {"left", "right"}, {}, prepare_window, nullptr, window, masks::window,
       /*has_alignment=*/true},
      {"dilated", {"left", "right", "dilation"}, {}, prepare_dilated, nullptr, dilated,
       masks::dilated, /*has_alignment=*/true},
      {"global_tokens", {"count"}, {}, prepare_global_tokens, nullptr, global_tokens,
       masks::global_tokens},
      {"prefix_lm", {}, {"lengths"}, prepare_integers, check_prefix_lm, prefix_lm,
       masks::prefix_lm},
      {"block_sparse", {"query_block", "key_block"}, {"allowed"}, prepare_block_sparse,
       check_block_sparse, block_sparse, masks::block_sparse},
      {"graph", {}, {"offsets", "columns"}, prepare_integers, check_graph, graph, masks::graph},
      {"packed", {}, {"query_offsets", "key_offsets"}, prepare_integers, check_packed, packed,
       masks::packed},
      {"padded", {}, {"key_lengths"}, prepare_integers, check_padded, padded, masks::padded},
      {"padded_both", {}, {"key_lengths", "query_lengths"}, prepare_integers, check_padded, padded,
       masks::padded_both},
      {"mask", {}, {"allowed"}, prepare_booleans, check_mask, mask, masks::mask},
  };
  // clang-format on
  return kinds;
}

std::string name_of(const PatternKind& kind, Alignment alignment) {
  return std::string(kind.name) + (alignment == Alignment::kTopLeft ? "_top_left" : "");
}

const std::vector<PatternName>& pattern_names() {
  static const std::vector<PatternName> names = [] {
    std::vector<PatternName> all;
    for (const PatternKind& kind : pattern_kinds()) {
      for (const Alignment alignment : {Alignment::kBottomRight, Alignment::kTopLeft}) {
        if (alignment == Alignment::kTopLeft && !kind.has_alignment) continue;
        all.push_back({name_of(kind, alignment), &kind, alignment});
      }
    }
    return all;
  }();
  return names;
}

}  // namespace heed
