// What a sceptic would try before a transformer: the last value, the last season, a linear map.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

#include "heed/data/series/series_data.h"
#include "heed/tasks/series/series_windows.h"

namespace heed::tasks {

// past (B, L, S) -> (B, F, S): the last value again and again.
at::Tensor last_value(const at::Tensor& past, int64_t horizon);

// The last `season` steps again and again; season <= L.
at::Tensor last_season(const at::Tensor& past, int64_t horizon, int64_t season);

// One matrix from the past of a series to its future, the same for all series, both less the last
// value; by least squares with a small ridge. What DLinear and NLinear learn by gradient descent is
// a map of this kind.                        Zeng et al. 2023, "Are Transformers Effective for Time
// Series?"
class LinearForecast {
 public:
  // Fitted on all windows whose future lies in rows [0, end).
  LinearForecast(const StandardizedSeries& series, int64_t end, int64_t context_length,
                 int64_t horizon);

  // The same with the ridge, of several, that errs least where the future lies in rows
  // [end, valid_end).
  static LinearForecast with_best_ridge(const StandardizedSeries& series, int64_t end,
                                        int64_t valid_end, int64_t context_length, int64_t horizon);

  at::Tensor forward(const at::Tensor& past) const;

  const at::Tensor& map() const { return map_; }  // (L, F)

 private:
  explicit LinearForecast(at::Tensor map) : map_(std::move(map)) {}

  at::Tensor map_;
};

// How many steps a season has, told by the distance of the times: a day of hours or minutes, a week
// of days, a year of months or quarters. 1: none is known.
int64_t usual_season(const data::SeriesData& data);

}  // namespace heed::tasks
