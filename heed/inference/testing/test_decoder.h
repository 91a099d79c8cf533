// A decoder whose probabilities are a table: the logits of the next token are those of the last two
// tokens, so that a test can try every sequence.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "heed/inference/step_decoder.h"

namespace heed::inference {

class TableDecoder final : public StepDecoder {
 public:
  TableDecoder(int64_t vocabulary, uint64_t seed, int64_t capacity = 0)
      : table_(at::randn({vocabulary, vocabulary, vocabulary},
                         at::make_generator<at::CPUGeneratorImpl>(seed)) *
               2),
        capacity_(capacity) {}

  at::Tensor step(const at::Tensor& ids) override {
    const int64_t rows = ids.size(0);
    if (rows_.empty()) rows_.resize(static_cast<size_t>(rows));
    EXPECT_EQ(static_cast<int64_t>(rows_.size()), rows);
    std::vector<at::Tensor> logits;
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<int64_t>& row = rows_[static_cast<size_t>(r)];
      for (int64_t i = 0; i < ids.size(1); ++i) row.push_back(ids[r][i].item<int64_t>());
      if (capacity_ > 0) {
        EXPECT_LE(static_cast<int64_t>(row.size()), capacity_);
      }
      logits.push_back(logits_after(row));
    }
    steps.push_back(rows);
    return at::stack(logits);
  }

  void select(const at::Tensor& rows) override {
    std::vector<std::vector<int64_t>> next;
    for (int64_t i = 0; i < rows.size(0); ++i) {
      next.push_back(rows_.at(static_cast<size_t>(rows[i].item<int64_t>())));
    }
    rows_ = next;
    selections.push_back(rows);
  }

  void reset() override { rows_.clear(); }
  int64_t capacity() const override { return capacity_; }

  // (V) of the token behind `ids`.
  at::Tensor logits_after(const std::vector<int64_t>& ids) const {
    const int64_t last = ids.back();
    const int64_t before = ids.size() > 1 ? ids[ids.size() - 2] : 0;
    return table_[before][last];
  }

  std::vector<int64_t> steps;          // rows of each step
  std::vector<at::Tensor> selections;  // what select() was given

 private:
  at::Tensor table_;
  int64_t capacity_;
  std::vector<std::vector<int64_t>> rows_;
};

}  // namespace heed::inference
