// Series of numbers over time.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/data/series/series_data.h"
#include "heed/doctor/data_kind.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr double kManyFilled = 0.1;  // of all values

struct ReadSeries {
  std::string split;
  data::SeriesData data;

  float at(int64_t row, size_t series) const {
    return data.values[static_cast<size_t>(row) * data.names.size() + series];
  }
  std::vector<float> values(size_t series) const {
    std::vector<float> all;
    for (int64_t row = 0; row < data.length(); ++row) all.push_back(at(row, series));
    return all;
  }
};

void check_filled(const ReadSeries& read, Report& report) {
  const auto all = std::ssize(read.data.values);
  if (read.data.filled > 0) {
    const bool many =
        static_cast<double>(read.data.filled) > kManyFilled * static_cast<double>(all);
    report.add({.check = "missing values",
                .severity = many ? Severity::kWarning : Severity::kNote,
                .summary = text_of(read.data.file, ": ",
                                   share_text(read.data.filled, all, "values"), " are missing"),
                .advice = "each is filled with the one before it; where many are, a model learns "
                          "that nothing changes"});
  }
  if (read.data.added_rows == 0) return;
  report.add({.check = "missing times",
              .severity = Severity::kWarning,
              .summary = text_of(read.data.file, ": ",
                                 share_text(read.data.added_rows, read.data.length(), "times"),
                                 " are not there"),
              .advice = "they are added without values; see why they were not written down"});
}

void check_values(const ReadSeries& read, Report& report) {
  std::vector<std::string> constant, equal;
  std::map<std::vector<float>, std::string> known;
  for (size_t s = 0; s < read.data.names.size(); ++s) {
    std::vector<float> values = read.values(s);
    if (values.empty()) continue;
    const std::string name = excerpt(read.data.names[s]);
    if (std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; })) {
      constant.push_back(name);
      continue;
    }
    const auto [at, is_new] = known.emplace(std::move(values), name);
    if (!is_new) equal.push_back(name + " is " + at->second);
  }
  const auto add = [&](const char* check, std::vector<std::string> which, const char* what,
                       const char* advice) {
    if (which.empty()) return;
    const int64_t count = std::ssize(which);
    which.resize(std::min(which.size(), kExamples));
    report.add({.check = check,
                .severity = Severity::kWarning,
                .summary = text_of(read.data.file, ": ",
                                   share_text(count, std::ssize(read.data.names), "series"), what),
                .advice = advice,
                .examples = std::move(which)});
  };
  add("constant series", std::move(constant), " never change",
      "leave them out (--columns): they make errors look small");
  add("equal series", std::move(equal), " have the values of another",
      "keep one: the others count it again");
}

// Files of one split after the other in time.
void check_overlap(const std::vector<ReadSeries>& all, Report& report) {
  report.made("leaks between splits");
  for (size_t i = 1; i < all.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const data::SeriesData &later = all[i].data, &earlier = all[k].data;
      if (all[i].split == all[k].split || !later.time_format || !earlier.time_format) continue;
      if (later.length() == 0 || earlier.length() == 0) continue;
      const int64_t end = earlier.step.after(earlier.first_time, earlier.length() - 1);
      if (later.first_time > end) continue;
      report.add(
          {.check = "leaks between splits",
           .severity = Severity::kStop,
           .summary = text_of(all[i].split, " begins at ", later.time_of(0), ", before the end of ",
                              all[k].split, " at ", earlier.time_of(earlier.length() - 1)),
           .advice = "a forecast is measured on times after those that it was learned "
                     "from"});
    }
  }
}

void check_series(const DataToCheck& asked, Report& report) {
  Data data;
  std::vector<ReadSeries> all;
  for (const SplitFiles& files : asked.splits) {
    data.splits.push_back({.name = files.name});
    for (const std::filesystem::path& file : files.files) {
      const data::SeriesReadOptions options{.encoding = asked.reading.encoding,
                                            .delimiter = asked.reading.delimiter,
                                            .limits = asked.reading.limits};
      all.push_back({files.name, data::read_series(file, options, data.reading)});
    }
  }
  begin_report(data, report);
  report.numbers.erase("samples");
  for (const char* check : {"missing times", "constant series", "equal series"}) report.made(check);
  for (const ReadSeries& read : all) {
    report.numbers["series"][read.data.file] = {{"rows", read.data.length()},
                                                {"series", read.data.names.size()},
                                                {"filled", read.data.filled},
                                                {"added_rows", read.data.added_rows}};
    check_filled(read, report);
    check_values(read, report);
  }
  check_overlap(all, report);
}

}  // namespace

DataKind series_kind() { return {.task = "forecast", .check = check_series}; }

}  // namespace heed::doctor
