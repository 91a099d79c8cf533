// A Problem made ready for the row leaves: one RowProblem a batch, with what a score needs to know
// of every row beforehand.
#pragma once

#include <vector>

#include "heed/kernels/attention/problem.h"
#include "heed/kernels/attention/rows/row_kernels.h"

namespace heed::kernels {

class RowProblems {
 public:
  RowProblems(const Problem& problem, const Workers& workers);

  // The problem of one batch. Points into this object.
  RowProblem of_batch(int64_t batch) const;

 private:
  void fill_terms(const Workers& workers);
  void fill_dropout(const Workers& workers);

  const Problem& problem_;
  const RowScore* score_;
  std::vector<float> query_terms_;    // (B, Nq, H), where the score has terms
  std::vector<float> key_terms_;      // (B, Nk, Hk)
  std::vector<uint32_t> query_keys_;  // (B, Nq, H), where there is dropout
  std::vector<uint32_t> key_keys_;    // (B, Nk, H)
};

// `array` from `batch` on, as bytes of `type`.
ConstArray at_batch(const ConstArray& array, DataType type, int64_t batch);
MutableArray at_batch(const MutableArray& array, DataType type, int64_t batch);

}  // namespace heed::kernels
