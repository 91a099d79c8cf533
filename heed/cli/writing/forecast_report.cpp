#include "heed/cli/writing/forecast_report.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/viz/curves.h"

namespace heed::cli {
namespace {

constexpr int kBaselineWidth = 14;

constexpr int64_t kMostDrawn = 8;

// Half the width of an interval, in the units of the data.
double half_width(const models::TrainedForecaster& trained, size_t coverage, int64_t step,
                  size_t series) {
  const auto& o = trained.model->options();
  const auto at = (static_cast<int64_t>(coverage) * o.horizon + step) * o.num_series +
                  static_cast<int64_t>(series);
  return trained.half_widths[static_cast<size_t>(at)] * trained.deviations[series];
}

std::string percent(double share) { return text_of(100 * share, " %"); }

OrderedJson errors_json(const metrics::ForecastErrors& errors) {
  return {{"mse", errors.mse()}, {"mae", errors.mae()}};
}

}  // namespace

std::string forecast_report(const tasks::ForecastEvaluation& evaluation) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(4);
  const auto line = [&](const std::string& name, const metrics::ForecastErrors& errors) {
    out << "  " << std::left << std::setw(kBaselineWidth) << name << std::right << std::setw(10)
        << errors.mse() << std::setw(10) << errors.mae() << '\n';
  };
  out << "  " << std::setw(kBaselineWidth + 10) << "MSE" << std::setw(10) << "MAE" << '\n';
  line("this model", evaluation.model);
  for (const auto& [name, errors] : evaluation.baselines) line(name, errors);
  out << std::setprecision(1);
  for (const auto& [wanted, seen] : evaluation.coverage) {
    out << "  intervals of " << 100 * wanted << " % held " << 100 * seen << " %\n";
  }
  const bool beaten = std::any_of(
      evaluation.baselines.begin(), evaluation.baselines.end(),
      [&](const auto& baseline) { return baseline.second.mse() <= evaluation.model.mse(); });
  if (beaten) out << "  a baseline is at least as good as the model: use that one\n";
  return out.str();
}

OrderedJson forecast_details(const tasks::ForecastEvaluation& evaluation,
                             const models::TrainedForecaster& trained) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, errors] : evaluation.baselines) {
    json["baselines"][name] = errors_json(errors);
  }
  for (size_t s = 0; s < evaluation.by_series.size(); ++s) {
    json["series"][trained.series[s]] = errors_json(evaluation.by_series[s]);
  }
  for (const auto& [wanted, seen] : evaluation.coverage) {
    json["coverage"].push_back({{"wanted", wanted}, {"seen", seen}});
  }
  return json;
}

Continued continued(const models::TrainedForecaster& trained, const data::SeriesData& data) {
  Continued made{.series = tasks::standardized(trained, data), .next = {}};
  int64_t rows = 0;
  for (size_t s = 0; s < data.names.size(); ++s) {
    const auto& series = trained.series;
    if (std::find(series.begin(), series.end(), data.names[s]) == series.end()) continue;
    rows = std::max(rows, data.known[s]);
  }
  made.series.values = made.series.values.narrow(0, 0, rows);
  made.next = tasks::forecast(trained, made.series);
  return made;
}

std::vector<OrderedJson> forecast_rows(const models::TrainedForecaster& trained,
                                       const data::SeriesData& data, const Continued& made) {
  std::vector<OrderedJson> rows;
  for (int64_t step = 0; step < made.next.size(0); ++step) {
    OrderedJson row = {{"time", data.time_of(made.series.values.size(0) + step)}};
    for (size_t s = 0; s < trained.series.size(); ++s) {
      const auto value = made.next[step][static_cast<int64_t>(s)].item<double>();
      row[trained.series[s]] = value;
      for (size_t c = 0; c < trained.coverages.size() && !trained.half_widths.empty(); ++c) {
        const double width = half_width(trained, c, step, s);
        row[trained.series[s] + " " + percent(trained.coverages[c])] = {value - width,
                                                                        value + width};
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string steps_text(const std::vector<std::string>& series, const at::Tensor& values) {
  constexpr int64_t kSteps = 5;
  constexpr size_t kSeries = 4;
  std::string text;
  for (size_t s = 0; s < std::min(series.size(), kSeries); ++s) {
    text += (s == 0 ? "" : ", ") + series[s];
    for (int64_t step = 0; step < std::min(values.size(0), kSteps); ++step) {
      text += formatted(" %.4g", values[step][static_cast<int64_t>(s)].item<double>());
    }
    if (values.size(0) > kSteps) text += " …";
  }
  return series.size() > kSeries ? text + " …" : text;
}

std::vector<std::string> draw_forecast(const models::TrainedForecaster& trained,
                                       const data::SeriesData& data, const Continued& made,
                                       const std::string& file) {
  const auto& o = trained.model->options();
  const int64_t rows = made.series.values.size(0);
  const int64_t before = std::min(rows, std::min(o.context_length, 4 * o.horizon));
  CurveChart chart{.title = "What follows " + data.file, .x_axis = "row"};
  for (int64_t s = 0; s < std::min(o.num_series, kMostDrawn); ++s) {
    const auto series = static_cast<size_t>(s);
    Curve past{.name = "past"};
    for (int64_t t = rows - before; t < rows; ++t) {
      past.x.push_back(static_cast<double>(t + 1));
      past.y.push_back(made.series.values[t][s].item<double>() * trained.deviations[series] +
                       trained.means[series]);
    }
    Curve next{.name = "forecast"};
    Curve low{.name = "low"};
    Curve high{.name = "high"};
    for (int64_t step = 0; step < o.horizon; ++step) {
      const auto value = made.next[step][s].item<double>();
      const double width = trained.half_widths.empty()
                               ? 0
                               : half_width(trained, trained.coverages.size() - 1, step, series);
      for (auto* curve : {&next, &low, &high}) {
        curve->x.push_back(static_cast<double>(rows + step + 1));
      }
      next.y.push_back(value);
      low.y.push_back(value - width);
      high.y.push_back(value + width);
    }
    chart.panels.push_back(
        {.y_axis = trained.series[series],
         .curves = {std::move(past), std::move(next), std::move(low), std::move(high)}});
  }
  return write_curves(chart, file, {.height = 160});
}

}  // namespace heed::cli
