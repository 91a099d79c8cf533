// Windows of a series: a past of L steps and the future of F steps behind it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "heed/tasks/common/task.h"

namespace heed::tasks {

// Standardised series, as a model reads them.
struct StandardizedSeries {
  at::Tensor values;      // (T, S) float32
  at::Tensor covariates;  // (T, K), undefined without any; rows beyond the values are the future
};

struct SeriesWindows {
  at::Tensor past;        // (B, L, S)
  at::Tensor future;      // (B, F, S)
  at::Tensor covariates;  // (B, L + F, K), undefined without any
};

// Those whose future begins at these rows; each has L rows before it and F from it on.
SeriesWindows windows_at(const StandardizedSeries& series, const at::Tensor& begins,
                         int64_t context_length, int64_t horizon);

// All windows whose future lies in rows [begin, end), a batch at a time.
void for_each_window(const StandardizedSeries& series, int64_t begin, int64_t end,
                     int64_t context_length, int64_t horizon, const Progress& progress,
                     const std::function<void(const SeriesWindows&)>& read);

// How many those are.
int64_t windows_between(int64_t begin, int64_t end, int64_t context_length, int64_t horizon);

}  // namespace heed::tasks
