#include <filesystem>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/forecast_sets.h"
#include "heed/cli/writing/forecast_report.h"
#include "heed/cli/writing/table_writer.h"
#include "heed/io/printable.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/tasks/series/short_series.h"

namespace heed::cli {
namespace {

constexpr int64_t kFewNumbers = 30;

struct ForecastSettings {
  std::vector<std::string> inputs;
  std::string plot;
  bool json = false;
  ThreadOptions threads;
  SeriesReading reading;
  ReadingOptions table;
  TimedRows rows;
};

std::string percent_of(double share) { return text_of(static_cast<int>(100 * share + 0.5), " %"); }

// The numbers of a series in order, when nothing was trained on it.
std::vector<float> numbers_of(const data::SeriesData& data, size_t series) {
  std::vector<float> numbers;
  for (size_t i = series; i < data.values.size(); i += data.names.size()) {
    numbers.push_back(data.values[i]);
  }
  numbers.resize(static_cast<size_t>(data.known[series]));
  return numbers;
}

void print(const tasks::ShortForecast& next, const std::string& series, const std::string& time,
           int64_t count) {
  std::cout << printable(series) << '\t' << printable(time) << '\t' << next.next << '\t'
            << next.next - next.half_width << '\t' << next.next + next.half_width << '\n';
  std::cerr << "heed: " << series << ": the next number by the rule that was best so far ("
            << next.rule << "), and an interval that should hold it in "
            << percent_of(next.coverage) << " of such cases\n";
  if (count <= kFewNumbers) {
    std::cerr << "heed: " << count << " numbers tell little: the rule was chosen and its errors "
              << "measured on the same " << count - 1 << " steps, which cannot vouch for more than "
              << percent_of(next.coverage) << "\n";
  }
}

// One step, without a model.
void forecast_next(const ForecastSettings& settings, const data::SeriesData& data) {
  for (size_t s = 0; s < data.names.size(); ++s) {
    const std::vector<float> numbers = numbers_of(data, s);
    if (numbers.size() < 3) {
      throw DataError(data.file,
                      text_of("series ", data.names[s], ": expected at least 3 numbers, ", "found ",
                              numbers.size()));
    }
    const tasks::ShortForecast next = tasks::forecast_short(numbers);
    const std::string time = data.time_of(data.known[s]);
    if (!settings.json) {
      print(next, data.names[s], time, std::ssize(numbers));
      continue;
    }
    std::cout << OrderedJson{{"series", data.names[s]},
                             {"time", time},
                             {"value", next.next},
                             {"low", next.next - next.half_width},
                             {"high", next.next + next.half_width},
                             {"coverage", next.coverage},
                             {"rule", next.rule},
                             {"numbers", numbers.size()}}
                     .dump()
              << '\n';
  }
}

// The whole horizon of a model.
void forecast_with_model(const ForecastSettings& settings, const models::TrainedForecaster& trained,
                         const data::SeriesData& data) {
  try {
    TableWriter table({}, TableWriter::Form::kCsv,
                      [](const std::string& line) { std::cout << line; });
    const Continued made = continued(trained, data);
    for (const OrderedJson& row : forecast_rows(trained, data, made)) {
      settings.json ? void(std::cout << row.dump() << '\n') : table.add(row);
    }
    if (!settings.plot.empty()) warn(draw_forecast(trained, data, made, settings.plot));
  } catch (const UsageError& error) {  // what the file lacks
    throw DataError(data.file, error.what());
  }
}

void run_forecast(const ForecastSettings& settings) {
  settings.threads.apply();
  check_usage(settings.inputs.size() <= 2, "expected a model and a file, or a file alone, got ",
              settings.inputs.size());
  const bool with_model = settings.inputs.size() == 2;
  check_usage(with_model || !std::filesystem::is_directory(settings.inputs[0]), settings.inputs[0],
              ": expected a file of series behind the model; - reads standard input");
  check_usage(with_model || settings.plot.empty(), "--plot: draws the forecast of a model");
  std::optional<models::TrainedForecaster> trained;
  if (with_model) trained = models::load_forecaster(settings.inputs[0]);
  data::DataReport report;
  const data::SeriesData data = settings.reading.read_good_rows(
      settings.inputs.back(), settings.table, settings.rows, report);
  if (data.length() > 0) {
    trained ? forecast_with_model(settings, *trained, data) : forecast_next(settings, data);
  }
  flush_output();
  throw_or_warn(report);
}

void define_forecast(Options& options, ForecastSettings& s) {
  options
      .add("inputs", s.inputs,
           "A model and a file of series, as `heed train forecast` reads them; or the file alone: "
           "its next number, told by attention, the mean or the last value, whichever was best so "
           "far; - reads standard input")
      .required()
      .repeats();
  options.add("--plot", s.plot, "Draw it, as PNG or SVG");
  options.flag("--json", s.json, "Print a JSON object a line");
  s.reading.add_to(options);
  s.rows.add_to(options);
  s.table.add_table_options(options);
  s.threads.add_to(options);
}

}  // namespace

Command forecast_command() {
  return {
      .path = "forecast",
      .summary = "Continue time series, with intervals",
      .examples =
          "  heed forecast model power.csv > next.csv\n"
          "  heed forecast model power.csv --plot next.png --json\n"
          "  echo 2,5,10,6,8 | heed forecast -\n",
      .define = with_settings(define_forecast, run_forecast),
  };
}

}  // namespace heed::cli
