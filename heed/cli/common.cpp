#include "heed/cli/common.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/cpus.h"
#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/ops/threads.h"

namespace heed::cli {
namespace {

constexpr const char* kReadingGroup = "Reading data";

}  // namespace

bool is_count(const std::string& name) {
  return name == "examples" || name == "tokens" || name == "questions" || name == "pairs" ||
         name == "objects";
}

void ThreadOptions::add_to(Options& options) {
  options
      .add("--threads", threads,
           "Threads to compute with; 0: OMP_NUM_THREADS, or one for each core granted")
      .range(0, 1024)
      .group("Running");
}

void ThreadOptions::apply(int processes) const {
  const GrantedCpus granted = granted_cpus();
  const std::optional<int> omp = omp_num_threads();
  const int wanted = threads > 0 ? threads : omp.value_or(std::max(1, granted.count / processes));
  const int count = std::min(wanted, granted.count);
  if (count < wanted) {
    std::cerr << (threads > 0 ? "--threads " : "OMP_NUM_THREADS=") << wanted
              << ": more than this process may compute on (" << granted.reason << "); takes "
              << count << '\n';
  }
  set_threads(count);
}

void ReadingOptions::add_encoding(Options& options) {
  options.add("--encoding", encoding, "Character encoding of the files")
      .one_of(data::encoding_names())
      .group(kReadingGroup);
}

void ReadingOptions::add_max_bytes(Options& options) {
  options
      .add("--max-bytes", max_bytes,
           "Memory that what is read of a file may take, such as 4G; auto: half of what is free")
      .group(kReadingGroup);
}

void ReadingOptions::add_label_column(Options& options) {
  options
      .add("--label-column", label_column,
           "Name or number of the column with the label; of a graph also none: there is none")
      .group(kReadingGroup);
}

void ReadingOptions::add_max_classes(Options& options, const std::string& help) {
  options.add("--max-classes", max_classes, help).range(1, 100'000'000).group(kReadingGroup);
}

void ReadingOptions::add_table_options(Options& options) {
  options
      .add("--delimiter", delimiter,
           "Between the columns of a table: tab, or one character such as ; or |; auto: told "
           "by the first rows")
      .group(kReadingGroup);
  add_encoding(options);
  add_max_bytes(options);
}

void ReadingOptions::add_file_options(Options& options) {
  options.add("--format", format, "What the files are; auto: told by what they hold")
      .one_of(data::format_names())
      .group(kReadingGroup);
  add_table_options(options);
  options.add("--header", header, "Whether tables begin with the names of their columns")
      .one_of(data::header_names())
      .group(kReadingGroup);
  add_max_classes(options, "Classes that a file may have");
}

void ReadingOptions::add_to(Options& options) {
  add_file_options(options);
  options.add("--text-column", text_column, "Name or number of the column that holds the text")
      .group(kReadingGroup);
  add_label_column(options);
}

data::Limits ReadingOptions::limits() const {
  return {.most_bytes = max_bytes == "auto" ? 0 : data::bytes_named(max_bytes),
          .most_classes = max_classes};
}

data::ReadOptions ReadingOptions::parsed() const {
  data::ReadOptions options;
  options.format = data::format_named(format);
  options.delimiter = delimiter == "auto" ? '\0' : data::delimiter_named(delimiter);
  options.header = data::header_named(header);
  options.encoding = data::encoding_named(encoding);
  options.text_column = text_column;
  options.label_column = label_column;
  options.limits = limits();
  return options;
}

void throw_or_warn(const data::DataReport& report) {
  for (const std::string& note : report.notes()) {
    std::cerr << "heed: " << note << '\n';
  }
  report.throw_if_fatal();
  std::cerr << report.text();
}

std::vector<std::filesystem::path> paths_of(const std::vector<std::string>& files) {
  return {files.begin(), files.end()};
}

void flush_output() {
  std::cout.flush();
  if (!std::cout) throw IoError("standard output: could not be written to the end");
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& each : warnings) std::cerr << "heed: warning: " << each << '\n';
}

tasks::Progress progress_bar(const std::string& title) {
  auto bar = std::make_shared<std::unique_ptr<ProgressBar>>();
  return [bar, title](int64_t done, int64_t total) {
    if (*bar == nullptr) *bar = std::make_unique<ProgressBar>(title, total);
    (*bar)->update(done);
  };
}

nlohmann::ordered_json json_of(const tasks::Metrics& metrics) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : metrics) {
    if (is_count(name)) {
      json[name] = static_cast<int64_t>(value);
    } else {
      json[name] = value;
    }
  }
  return json;
}

std::string text_of_metrics(const tasks::Metrics& metrics) {
  return joined(metrics, "  ", [](const auto& metric) {
    const auto& [name, value] = metric;
    return formatted(is_count(name) ? "%s %.0f" : "%s %.4f", name.c_str(), value);
  });
}

}  // namespace heed::cli
