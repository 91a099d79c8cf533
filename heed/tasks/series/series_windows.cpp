#include "heed/tasks/series/series_windows.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace heed::tasks {
namespace {

constexpr int64_t kWindowsOfABatch = 128;

}  // namespace

SeriesWindows windows_at(const StandardizedSeries& series, const at::Tensor& begins,
                         int64_t context_length, int64_t horizon) {
  const int64_t length = context_length + horizon;
  const at::Tensor rows =
      (begins - context_length).unsqueeze(1) + at::arange(length, begins.options()).unsqueeze(0);
  const auto taken = [&](const at::Tensor& table) {
    return table.index_select(0, rows.flatten()).reshape({-1, length, table.size(1)});
  };
  const at::Tensor values = taken(series.values);
  return {.past = values.narrow(1, 0, context_length),
          .future = values.narrow(1, context_length, horizon),
          .covariates = series.covariates.defined() ? taken(series.covariates) : at::Tensor()};
}

int64_t windows_between(int64_t begin, int64_t end, int64_t context_length, int64_t horizon) {
  return std::max<int64_t>(0, end - horizon - std::max(begin, context_length) + 1);
}

void for_each_window(const StandardizedSeries& series, int64_t begin, int64_t end,
                     int64_t context_length, int64_t horizon, const Progress& progress,
                     const std::function<void(const SeriesWindows&)>& read) {
  const int64_t first = std::max(begin, context_length);
  const int64_t count = windows_between(begin, end, context_length, horizon);
  for (int64_t done = 0; done < count; done += kWindowsOfABatch) {
    const int64_t next = std::min(done + kWindowsOfABatch, count);
    read(windows_at(series, at::arange(first + done, first + next, at::kLong), context_length,
                    horizon));
    if (progress) progress(next, count);
  }
}

}  // namespace heed::tasks
