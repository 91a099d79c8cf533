// How good forecasts are, as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "heed/io/json.h"
#include "heed/tasks/series/forecasting.h"

namespace heed::cli {

// A table: the model and each baseline with MSE and MAE, then what the intervals held.
std::string forecast_report(const tasks::ForecastEvaluation& evaluation);

// The same in JSON, with the errors of each series.
OrderedJson forecast_details(const tasks::ForecastEvaluation& evaluation,
                             const models::TrainedForecaster& trained);

// A table up to the last row in which any series has a value, and what follows it.
struct Continued {
  tasks::StandardizedSeries series;
  at::Tensor next;  // (F, S) double, in the units of the data
};

// Throws UsageError where the data are too short or lack a column.
Continued continued(const models::TrainedForecaster& trained, const data::SeriesData& data);

// For each step that follows its time, and for each series the value and, for each coverage,
// [low, high]: {"time": "2016-07-02", "OT": 30.1, "OT 80 %": [28.0, 32.2]}.
std::vector<OrderedJson> forecast_rows(const models::TrainedForecaster& trained,
                                       const data::SeriesData& data, const Continued& made);

// The first steps of the first of these series in `values` (F, S), in the units of the data:
// "a 10.2 9.8 …, b 0.5 0.4 …".
std::string steps_text(const std::vector<std::string>& series, const at::Tensor& values);

// Draws the end of each series and what follows it, with the widest intervals: at most eight
// series. Returns what whoever asked for it should know.
std::vector<std::string> draw_forecast(const models::TrainedForecaster& trained,
                                       const data::SeriesData& data, const Continued& made,
                                       const std::string& file);

}  // namespace heed::cli
