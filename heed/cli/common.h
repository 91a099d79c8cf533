// Options and small helpers that several subcommands share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "heed/base/progress.h"
#include "heed/cli/options/options.h"
#include "heed/data/data_report.h"
#include "heed/data/texts/classification_data.h"
#include "heed/tasks/common/task.h"

namespace heed::cli {

// --threads; 0 takes what OMP_NUM_THREADS says or else as many as there are cores that this process
// may use, of several `processes` on one machine each its part. Never more than may be used, which
// is said on stderr. Call apply() before the first tensor.
struct ThreadOptions {
  int threads = 0;

  void add_to(Options& options);
  void apply(int processes = 1) const;
};

// How input files are read: --format, --delimiter, --header, --text-column, --label-column,
// --encoding, --max-bytes, --max-classes.
struct ReadingOptions {
  std::string format = "auto";
  std::string delimiter = "auto";
  std::string header = "auto";
  std::string text_column = {};
  std::string label_column = {};
  std::string encoding = "utf-8";
  std::string max_bytes = "auto";
  int64_t max_classes = data::Limits().most_classes;

  void add_to(Options& options);
  void add_file_options(Options& options);   // all but the two columns
  void add_table_options(Options& options);  // --delimiter, --encoding, --max-bytes
  void add_encoding(Options& options);
  void add_max_bytes(Options& options);
  void add_label_column(Options& options);
  void add_max_classes(Options& options, const std::string& help);

  data::ReadOptions parsed() const;
  data::Limits limits() const;
};

// What reading found: throws DataError where the data cannot be used, says the rest on stderr.
void throw_or_warn(const data::DataReport& report);

// Names of files as options have them.
std::vector<std::filesystem::path> paths_of(const std::vector<std::string>& files);

// Flushes standard output. Throws IoError where that fails.
void flush_output();

// Warnings of a model's task, one a line on stderr.
void warn(const std::vector<std::string>& warnings);

// A progress bar over (done, total), made at the first call.
tasks::Progress progress_bar(const std::string& title);

// Whether what has this name among the metrics says how much was measured, and not how well.
bool is_count(const std::string& name);

// {"accuracy": 0.8, …}; whole numbers (counts) as such.
nlohmann::ordered_json json_of(const tasks::Metrics& metrics);

// "accuracy 0.8012  loss 0.4410": for people.
std::string text_of_metrics(const tasks::Metrics& metrics);

}  // namespace heed::cli
