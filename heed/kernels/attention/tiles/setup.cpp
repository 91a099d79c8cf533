#include "heed/kernels/attention/tiles/setup.h"

#include <algorithm>
#include <span>
#include <string>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/kernels/vector/dropout.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {

const TileTable& tile_table() { return HEED_PICK_ISA(kTileTable); }

const TileScore& tile_score(const TileTable& table, const char* name) {
  const TileScore* score = find_score(table.scores, table.score_count, name);
  if (score != nullptr) return *score;
  const std::span scores(table.scores, static_cast<size_t>(table.score_count));
  throw UsageError(text_of("attention: no score is named '", name, "'; there are ",
                           joined(scores, ", ", &TileScore::name)));
}

TileSetup::TileSetup(const Problem& problem, const Workers& workers)
    : problem_(problem),
      table_(tile_table()),
      score_(tile_score(table_, problem.score.name)),
      uses_pairs_(table_.has_pairs && problem.type == DataType::kBFloat16 && !score_.is_pairwise &&
                  problem.shape.size % 2 == 0 && problem.shape.value_size % 2 == 0),
      parameters_(score_.is_pairwise ? problem.shape.size : score_.parameters) {
  check_usage(parameters_ == 0 || problem.score.parameter != nullptr, "attention: the score '",
              score_.name, "' needs its parameter, (H", parameters_ > 1 ? ", D" : "",
              "), and none came");
  const bool whole_lines = problem.shape.size % 32 == 0 && problem.shape.value_size % 32 == 0;
  if (uses_pairs_ && whole_lines && current_isa() == Isa::kAmx) brgemm_ = kernels::brgemm();
  fill_terms(workers);
  fill_relative();
  if (has_dropout()) fill_dropout(workers);
}

Rows TileSetup::rows_of(const ConstArray& array, int64_t batch, int64_t head, int64_t row) const {
  const int64_t at = batch * array.batch + head * array.head + row * array.row;
  return {static_cast<const char*>(array.data) + at * bytes_of(problem_.type), array.row};
}
Rows TileSetup::query_rows(int64_t batch, int64_t head, int64_t row) const {
  return rows_of(problem_.query, batch, head, row);
}
Rows TileSetup::key_rows(int64_t batch, int64_t key_head, int64_t row) const {
  return rows_of(problem_.key, batch, key_head, row);
}
Rows TileSetup::value_rows(int64_t batch, int64_t key_head, int64_t row) const {
  return rows_of(problem_.value, batch, key_head, row);
}

void TileSetup::fill_terms_of(TermSide side, Rows rows, int64_t count, float* out) const {
  const int size = static_cast<int>(problem_.shape.size);
  if (problem_.type == DataType::kFloat32) {
    score_.terms(side, static_cast<const float*>(rows.data), rows.stride, static_cast<int>(count),
                 size, out);
    return;
  }
  constexpr int64_t kChunk = 64;
  const int64_t padded_size = padded(size);
  float* chunk = thread_scratch().take_alone<float>(kChunk * padded_size);
  for (int64_t i = 0; i < count; i += kChunk) {
    const int some = static_cast<int>(std::min(kChunk, count - i));
    const Rows from = {static_cast<const uint16_t*>(rows.data) + i * rows.stride, rows.stride};
    table_.copy_rows(from, problem_.type, some, size, chunk, padded_size);
    score_.terms(side, chunk, padded_size, some, size, out + i);
  }
}

void TileSetup::fill_terms(const Workers& workers) {
  if (!score_.has_terms) return;
  const Shape& s = problem_.shape;
  query_terms_.resize(static_cast<size_t>(s.batch * s.heads * s.queries));
  key_terms_.resize(static_cast<size_t>(s.batch * s.key_heads * s.keys));
  const int64_t of_queries = s.batch * s.heads;
  const int64_t count = of_queries + s.batch * s.key_heads;
  const double operations = 4.0 * static_cast<double>(query_terms_.size() + key_terms_.size()) *
                            static_cast<double>(s.size);
  for_each_task(workers, count, operations, [&](int64_t task) {
    if (task < of_queries) {
      fill_terms_of(TermSide::kQuery, query_rows(task / s.heads, task % s.heads, 0), s.queries,
                    query_terms_.data() + task * s.queries);
    } else {
      const int64_t t = task - of_queries;
      fill_terms_of(TermSide::kKey, key_rows(t / s.key_heads, t % s.key_heads, 0), s.keys,
                    key_terms_.data() + t * s.keys);
    }
  });
}

void TileSetup::fill_relative() {
  const RelativeTable& bias = problem_.modifiers.relative;
  if (bias.table == nullptr) return;
  const int64_t tables = bias.head == 0 ? 1 : problem_.shape.heads;
  relative_entries_ = 2 * (bias.reach + kMaxPanel) + 1;
  relative_.resize(static_cast<size_t>(2 * tables * relative_entries_));
  for (int64_t h = 0; h < tables; ++h) {
    float* straight = relative_.data() + h * relative_entries_;
    float* reversed = straight + tables * relative_entries_;
    for (int64_t i = 0; i < relative_entries_; ++i) {
      const int64_t at = std::clamp<int64_t>(i - kMaxPanel, 0, 2 * bias.reach);
      straight[i] = bias.table[h * bias.head + at] * static_cast<float>(kLog2E);
      reversed[relative_entries_ - 1 - i] = straight[i];
    }
  }
}

void TileSetup::fill_dropout(const Workers& workers) {
  const Shape& s = problem_.shape;
  query_dropout_.resize(static_cast<size_t>(s.batch * s.heads * s.queries));
  key_dropout_.resize(static_cast<size_t>(s.batch * s.heads * s.keys));
  const double operations = 20.0 * static_cast<double>(query_dropout_.size() + key_dropout_.size());
  for_each_task(workers, s.batch * s.heads, operations, [&](int64_t head) {
    const uint64_t seed = problem_.dropout.seed;
    const uint64_t h = dropout_head(problem_.dropout, head, s.heads);
    fill_dropout_keys(seed, h, DropoutAxis::kQuery, s.queries,
                      query_dropout_.data() + head * s.queries);
    fill_dropout_keys(seed, h, DropoutAxis::kKey, s.keys, key_dropout_.data() + head * s.keys);
  });
}

HeadScore TileSetup::head_score(int64_t batch, int64_t head) const {
  const Shape& s = problem_.shape;
  const Modifiers& m = problem_.modifiers;
  HeadScore score;
  score.function = &score_;
  if (parameters_ > 0) score.parameter = problem_.score.parameter + head * parameters_;
  if (score_.has_terms) {
    score.query_terms = query_terms_.data() + (batch * s.heads + head) * s.queries;
    score.key_terms = key_terms_.data() + (batch * s.key_heads + key_head_of(head)) * s.keys;
  }
  score.modifiers = modifiers_of_head(m, problem_.score.scale, head);
  if (m.relative.table != nullptr) {
    const int64_t tables = m.relative.head == 0 ? 1 : s.heads;
    score.relative = relative_.data() + (tables > 1 ? head : 0) * relative_entries_;
    score.relative_reversed = score.relative + tables * relative_entries_;
    score.reach = m.relative.reach;
  }
  score.query_offset = problem_.query_offset;
  score.dense = m.dense;
  if (m.dense.data != nullptr) {
    score.dense.data = static_cast<const char*>(m.dense.data) +
                       (batch * m.dense.batch + head * m.dense.head) * bytes_of(m.dense.type);
  }
  score.is_plain = score_.is_identity && problem_.score.scale > 0 && m.softcap <= 0 &&
                   m.alibi_slopes == nullptr && m.relative.table == nullptr &&
                   m.dense.data == nullptr;
  return score;
}

TileDropout TileSetup::dropout(int64_t batch, int64_t head) const {
  if (!has_dropout()) return {};
  const Shape& s = problem_.shape;
  const int64_t slice = batch * s.heads + head;
  return {query_dropout_.data() + slice * s.queries, key_dropout_.data() + slice * s.keys,
          dropout_threshold(problem_.dropout.probability)};
}

}  // namespace heed::kernels
