// The forward pass of the tile engine: tasks are blocks of queries; see forward_leaf.h for what
// happens in a tile.
#include <algorithm>
#include <limits>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/patterns/block_list.h"
#include "heed/kernels/attention/tiles/setup.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

constexpr int kMaxPanels = kForwardQueries / 8;  // of the narrowest panel
constexpr int kMaskQueries = 64;                 // what Pattern::allowed takes at a time

// One block of queries of one head: packs its panels, walks its blocks of keys, writes its rows.
class ForwardTask {
 public:
  ForwardTask(const Problem& problem, const ForwardResult& result, const TileSetup& setup)
      : problem_(problem), result_(result), setup_(setup), table_(setup.table()) {}

  void run(int64_t batch, int64_t head, int64_t query_block) {
    batch_ = batch;
    head_ = head;
    queries_ = block_range(query_block, kForwardQueries, problem_.shape.queries);
    score_ = setup_.head_score(batch, head);
    dropout_ = setup_.dropout(batch, head);
    take_scratch();
    pack_queries();
    thread_local std::vector<Block> blocks;
    list_key_blocks(problem_.pattern.get(), batch, head, queries_, problem_.shape.keys,
                    kForwardKeys, blocks);
    for (const Block& block : blocks) visit_keys(block);
    finish();
    if (setup_.brgemm() != nullptr) setup_.brgemm()->release();
  }

 private:
  void take_scratch() {
    size_ = static_cast<int>(problem_.shape.size);
    value_size_ = static_cast<int>(problem_.shape.value_size);
    const int64_t panel = setup_.panel();
    const int64_t lanes = round_up(queries_.size(), panel);
    thread_scratch().hand_out([&] { take_pieces(thread_scratch(), lanes); });
    std::fill(output_, output_ + lanes * value_size_, 0.0F);
    std::fill(maximum_, maximum_ + lanes, -std::numeric_limits<float>::infinity());
    std::fill(sum_, sum_ + lanes, 0.0F);
  }

  void take_pieces(Scratch& scratch, int64_t lanes) {
    const int64_t size = size_;
    const int64_t value_size = value_size_;
    const bool pairwise = setup_.score().is_pairwise;
    packed_ = scratch.take<float>(lanes * size);
    output_ = scratch.take<float>(lanes * value_size);
    maximum_ = scratch.take<float>(lanes);
    sum_ = scratch.take<float>(lanes);
    scores_ = scratch.take<float>(kForwardKeys * setup_.panel());
    bias_ = scratch.take<float>(kForwardKeys * setup_.panel());
    if (pairwise) {
      prepared_ = scratch.take<float>(2 * lanes * size);
      prepared_keys_ = scratch.take<float>(2 * kForwardKeys * size);
    }
    if (problem_.type == DataType::kBFloat16 && !setup_.uses_pairs()) {
      key_copy_ = scratch.take<float>(kForwardKeys * setup_.padded(size));
      value_copy_ = scratch.take<float>(kForwardKeys * setup_.padded(value_size));
    }
    if (setup_.uses_pairs()) value_pairs_ = scratch.take<uint16_t>(kForwardKeys * value_size);
    if (setup_.brgemm() != nullptr) {
      value_columns_ = scratch.take<uint16_t>(kForwardKeys * value_size);
    }
  }

  void pack_queries() {
    const int64_t panel = setup_.panel();
    panels_ = static_cast<int>(div_up(queries_.size(), panel));
    for (int p = 0; p < panels_; ++p) {
      ForwardPanel& view = panel_[p];
      view.query = queries_.begin + p * panel;
      view.lanes = static_cast<int>(std::min(panel, queries_.end - view.query));
      view.vectors = static_cast<int>(div_up(view.lanes, table_.lanes));
      view.queries = packed_ + p * panel * size_;
      view.prepared = prepared_ != nullptr ? prepared_ + 2 * p * panel * size_ : nullptr;
      view.output = output_ + p * panel * value_size_;
      view.maximum = maximum_ + p * panel;
      view.sum = sum_ + p * panel;
      const Rows rows = setup_.query_rows(batch_, head_, view.query);
      if (setup_.uses_pairs()) {
        table_.pack_transposed_pairs(rows, view.lanes, size_, view.queries);
      } else {
        table_.pack_transposed(rows, problem_.type, view.lanes, size_, view.queries);
      }
      if (prepared_ != nullptr) {
        setup_.score().prepare(view.queries, panel * size_, view.prepared);
      }
    }
  }

  // The rows of a block of keys, converted as the tiles want them.
  ForwardKeys load_keys(Range keys) {
    const int64_t key_head = setup_.key_head_of(head_);
    const Rows key_rows = setup_.key_rows(batch_, key_head, keys.begin);
    const Rows value_rows = setup_.value_rows(batch_, key_head, keys.begin);
    ForwardKeys view;
    view.key = keys.begin;
    view.count = static_cast<int>(keys.size());
    view.raw_values = value_rows;
    if (setup_.uses_pairs()) {
      view.key_halves = static_cast<const uint16_t*>(key_rows.data);
      view.key_halves_stride = key_rows.stride;
      table_.pack_row_pairs(value_rows, view.count, value_size_, value_pairs_, value_size_);
      view.value_pairs = value_pairs_;
      if (setup_.brgemm() != nullptr && view.count == kForwardKeys) {
        table_.transpose_pairs(value_pairs_, kForwardKeys / 2, value_size_, value_columns_);
        view.value_columns = value_columns_;
      }
    } else if (problem_.type == DataType::kFloat32) {
      view.keys = static_cast<const float*>(key_rows.data);
      view.key_stride = key_rows.stride;
      view.values = static_cast<const float*>(value_rows.data);
      view.value_stride = value_rows.stride;
    } else {
      view.key_stride = setup_.padded(size_);
      view.value_stride = setup_.padded(value_size_);
      table_.copy_rows(key_rows, problem_.type, view.count, size_, key_copy_, view.key_stride);
      table_.copy_rows(value_rows, problem_.type, view.count, value_size_, value_copy_,
                       view.value_stride);
      view.keys = key_copy_;
      view.values = value_copy_;
    }
    if (prepared_keys_ != nullptr) {
      for (int j = 0; j < view.count; ++j) {
        setup_.score().prepare(view.keys + j * view.key_stride, size_,
                               prepared_keys_ + 2 * j * size_);
      }
      view.prepared = prepared_keys_;
    }
    return view;
  }

  // Only keys that some query of the block may attend to are read, so the range is trimmed first.
  void visit_keys(const Block& block) {
    const Range keys = block_range(block.index, kForwardKeys, problem_.shape.keys);
    if (block.is_full) {
      const ForwardKeys view = load_keys(keys);
      for (int p = 0; p < panels_; ++p) run_tile(p, view, nullptr);
      return;
    }
    Range live = {keys.end, keys.begin};
    int groups = 0;
    for (int64_t at = queries_.begin; at < queries_.end; at += kMaskQueries, ++groups) {
      fill_group(groups, {at, std::min(at + kMaskQueries, queries_.end)}, keys, live);
    }
    if (live.begin >= live.end) return;
    ForwardKeys view = load_keys(live);
    view.nan_safe = table_.has_non_finite(view.raw_values, problem_.type, view.count, value_size_);
    for (int p = 0; p < panels_; ++p) visit_partial(p, view, keys);
  }

  // The allowed bits of 64 queries; `live` grows by the keys that one of them may attend to.
  void fill_group(int group, Range queries, Range keys, Range& live) {
    group_cover_[group] = problem_.pattern->cover(batch_, head_, queries, keys);
    if (group_cover_[group] == Cover::kEmpty) return;
    if (group_cover_[group] == Cover::kFull) {
      live = keys;
      return;
    }
    uint64_t* columns = columns_[group];
    problem_.pattern->allowed(batch_, head_, queries, keys, columns);
    int64_t first = 0;
    int64_t last = keys.size();
    while (first < last && columns[first] == 0) ++first;
    while (last > first && columns[last - 1] == 0) --last;
    if (first == last) {
      group_cover_[group] = Cover::kEmpty;
      return;
    }
    live.begin = std::min(live.begin, keys.begin + first);
    live.end = std::max(live.end, keys.begin + last);
  }

  void visit_partial(int p, const ForwardKeys& view, Range keys) {
    const ForwardPanel& panel = panel_[p];
    const int64_t from = panel.query - queries_.begin;
    const int group = static_cast<int>(from / kMaskQueries);
    if (group_cover_[group] == Cover::kEmpty) return;
    if (group_cover_[group] == Cover::kFull) return run_tile(p, view, nullptr);
    const uint64_t* columns = columns_[group] + (view.key - keys.begin);
    const int shift = static_cast<int>(from % kMaskQueries);
    const uint32_t all = static_cast<uint32_t>((uint64_t{1} << panel.lanes) - 1);
    uint32_t masks[kForwardKeys];
    int first = view.count;
    int last = 0;
    uint32_t every = all;
    for (int j = 0; j < view.count; ++j) {
      masks[j] = static_cast<uint32_t>(columns[j] >> shift) & all;
      if (masks[j] == 0) continue;
      first = std::min(first, j);
      last = j + 1;
    }
    if (first >= last) return;
    for (int j = first; j < last; ++j) every &= masks[j];
    ForwardKeys trimmed = view;
    trim(trimmed, first, last);
    // Pairs of rows begin at even keys, so there the masks may begin one key earlier.
    const int64_t skipped = trimmed.key - view.key;
    run_tile(p, trimmed, every == all && skipped == first ? nullptr : masks + skipped);
  }

  void trim(ForwardKeys& view, int first, int last) const {
    if (view.value_pairs != nullptr) first &= ~1;
    view.key += first;
    view.count = last - first;
    view.raw_values.data = static_cast<const char*>(view.raw_values.data) +
                           first * view.raw_values.stride * bytes_of(problem_.type);
    if (view.keys != nullptr) {
      view.keys += first * view.key_stride;
      view.values += first * view.value_stride;
    }
    if (view.prepared != nullptr) view.prepared += int64_t{2} * first * size_;
    if (view.value_pairs != nullptr) {
      view.key_halves += first * view.key_halves_stride;
      view.value_pairs += static_cast<int64_t>(first) * value_size_;
    }
  }

  void run_tile(int p, const ForwardKeys& keys, const uint32_t* masks) {
    ForwardTile tile;
    tile.score = &score_;
    tile.dropout = &dropout_;
    tile.brgemm = setup_.brgemm();
    tile.size = size_;
    tile.value_size = value_size_;
    tile.masks = masks;
    tile.scores = scores_;
    tile.bias = bias_;
    (setup_.uses_pairs() ? table_.forward_tile_pairs : table_.forward_tile)(tile, panel_[p], keys);
  }

  void finish() {
    const Shape& s = problem_.shape;
    PanelResult out;
    out.score_factor = score_.is_plain ? score_.modifiers.scale * static_cast<float>(kLog2E) : 1;
    out.output_factor = setup_.has_dropout() ? setup_.dropout_factor() : 1;
    out.value_size = value_size_;
    out.type = problem_.type;
    out.stride = result_.output.row;
    const int64_t bytes = bytes_of(problem_.type);
    for (int p = 0; p < panels_; ++p) {
      const int64_t row = panel_[p].query;
      out.output =
          static_cast<char*>(result_.output.data) +
          (batch_ * result_.output.batch + head_ * result_.output.head + row * result_.output.row) *
              bytes;
      if (result_.log_sum_exp != nullptr) {
        const int64_t at = (batch_ * s.heads + head_) * s.queries + row;
        out.log_sum_exp = result_.log_sum_exp + at;
        if (result_.log_sum_exp_rest != nullptr) {
          out.log_sum_exp_rest = result_.log_sum_exp_rest + at;
        }
      }
      table_.finish_panel(panel_[p], out);
    }
  }

  const Problem& problem_;
  const ForwardResult& result_;
  const TileSetup& setup_;
  const TileTable& table_;
  int64_t batch_ = 0;
  int64_t head_ = 0;
  Range queries_;
  HeadScore score_;
  TileDropout dropout_;
  int size_ = 0;
  int value_size_ = 0;
  int panels_ = 0;
  ForwardPanel panel_[kMaxPanels];
  float* packed_ = nullptr;
  float* prepared_ = nullptr;
  float* output_ = nullptr;
  float* maximum_ = nullptr;
  float* sum_ = nullptr;
  float* scores_ = nullptr;
  float* bias_ = nullptr;
  float* prepared_keys_ = nullptr;
  float* key_copy_ = nullptr;
  float* value_copy_ = nullptr;
  uint16_t* value_pairs_ = nullptr;
  uint16_t* value_columns_ = nullptr;
  Cover group_cover_[kForwardQueries / kMaskQueries] = {};
  uint64_t columns_[kForwardQueries / kMaskQueries][kForwardKeys];
};

}  // namespace

void tile_forward(const Problem& problem, const ForwardResult& result, const Workers& workers) {
  const Shape& s = problem.shape;
  const int64_t blocks = div_up(s.queries, kForwardQueries);
  const int64_t tasks = s.batch * s.heads * blocks;
  if (tasks == 0) return;
  const TileSetup setup(problem, workers);
  const double operations = 2.0 * static_cast<double>(s.batch * s.heads * s.queries) *
                            static_cast<double>(s.keys * (s.size + s.value_size));
  for_each_task(workers, tasks, operations, [&](int64_t task) {
    ForwardTask one(problem, result, setup);
    const int64_t slice = task / blocks;
    // Last rows first: under a causal pattern they are the longest.
    one.run(slice / s.heads, slice % s.heads, blocks - 1 - task % blocks);
  });
}

}  // namespace heed::kernels
