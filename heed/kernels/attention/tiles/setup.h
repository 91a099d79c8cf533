// What the forward and the backward pass of the tile engine prepare once for a call.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/base/workers.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/matrix/brgemm.h"

namespace heed::kernels {

class TileSetup {
 public:
  TileSetup(const Problem& problem, const Workers& workers);

  const TileTable& table() const { return table_; }
  const TileScore& score() const { return score_; }
  int panel() const { return 2 * table_.lanes; }
  // Products of bfloat16 pairs, instead of conversion to float32.
  bool uses_pairs() const { return uses_pairs_; }
  // Products of whole tiles by brgemm.h; null: none.
  const Brgemm* brgemm() const { return brgemm_; }
  // How many numbers a head learns for the score.
  int64_t parameters() const { return parameters_; }
  bool has_dropout() const { return problem_.dropout.probability > 0; }
  float dropout_factor() const {
    return static_cast<float>(1 / (1 - problem_.dropout.probability));
  }

  HeadScore head_score(int64_t batch, int64_t head) const;
  TileDropout dropout(int64_t batch, int64_t head) const;

  // Rows from `row` on.
  Rows query_rows(int64_t batch, int64_t head, int64_t row) const;
  Rows key_rows(int64_t batch, int64_t key_head, int64_t row) const;
  Rows value_rows(int64_t batch, int64_t key_head, int64_t row) const;
  Rows rows_of(const ConstArray& array, int64_t batch, int64_t head, int64_t row) const;

  int64_t key_head_of(int64_t head) const {
    return head / (problem_.shape.heads / problem_.shape.key_heads);
  }
  int64_t padded(int64_t size) const { return round_up(size, table_.lanes); }

 private:
  void fill_terms(const Workers& workers);
  void fill_relative();
  void fill_dropout(const Workers& workers);
  void fill_terms_of(TermSide side, Rows rows, int64_t count, float* out) const;

  const Problem& problem_;
  const TileTable& table_;
  const TileScore& score_;
  bool uses_pairs_;
  const Brgemm* brgemm_ = nullptr;
  int64_t parameters_;
  std::vector<float> query_terms_;  // (B, H, Nq)
  std::vector<float> key_terms_;    // (B, Hk, Nk)
  std::vector<float> relative_;     // (H or 1, padded table), then the same reversed
  int64_t relative_entries_ = 0;
  std::vector<uint32_t> query_dropout_;  // (B, H, Nq)
  std::vector<uint32_t> key_dropout_;    // (B, H, Nk)
};

}  // namespace heed::kernels
