#include <algorithm>
#include <iostream>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/table_sets.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/writing/table_report.h"
#include "heed/data/split.h"
#include "heed/io/printable.h"
#include "heed/tasks/table/table_baselines.h"
#include "heed/tasks/table/table_learning.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_table_defaults() {
  training::TrainingOptions options;
  options.epochs = 60;
  options.batch_size = 64;
  options.lr = 1e-3;
  options.patience = 16;
  return options;
}

struct TrainTableSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = 0.2;
  data::TableReadOptions columns;
  TimedRows rows;
  ReadingOptions table;
  tasks::TableLearningOptions task;
  TrainingSettings training{train_table_defaults()};
};

struct Tables {
  data::TableData train;
  data::TableData valid;
  HeldOut shown = {};  // some rows that validate
};

// Some of these rows of a table that was read from these files, as `heed attend MODEL FILE --row`
// takes them. None where rows were left out: their numbers are those of the rows that can be used.
HeldOut shown_rows(const data::TableData& all, const std::vector<int64_t>& rows,
                   const std::vector<std::string>& files) {
  if (all.left_out > 0 || std::find(files.begin(), files.end(), "-") != files.end()) return {};
  return held_out_of(rows.size(), [&](size_t i) {
    const auto row = static_cast<size_t>(rows[i]);
    const int32_t file = all.places[row].file;
    const auto first =
        std::find_if(all.places.begin(), all.places.end(),
                     [&](const data::TableData::Place& each) { return each.file == file; });
    const auto number = static_cast<int64_t>(row) - (first - all.places.begin()) + 1;
    const data::TableColumn& target = *all.target;
    return HeldOutExample{
        .input = files[static_cast<size_t>(file)],
        .about = {
            .name = all.where(rows[i]),
            .right = target.name + " = " +
                     (target.is_category ? target.names[static_cast<size_t>(target.categories[row])]
                                         : formatted("%.7g", target.numbers[row])),
            .options = {{"row", std::to_string(number)}}}};
  });
}

Tables read(const TrainTableSettings& settings) {
  data::TableReadOptions options = settings.columns;
  options.target_kind = tasks::target_kind_of(settings.task.problem_type);
  data::TableData all = read_tables(settings.train, options, settings.table, settings.rows);
  if (!settings.valid.empty()) {
    data::TableData valid = read_tables(settings.valid, data::options_like(all, options),
                                        settings.table, settings.rows);
    std::vector<int64_t> rows(static_cast<size_t>(valid.rows()));
    std::iota(rows.begin(), rows.end(), int64_t{0});
    HeldOut shown = shown_rows(valid, rows, settings.valid);
    return {.train = std::move(all), .valid = std::move(valid), .shown = std::move(shown)};
  }
  const uint64_t seed = settings.training.options.seed;
  const std::vector<bool> held = data::held_back(all, settings.valid_share, seed);
  std::vector<int64_t> train;
  std::vector<int64_t> valid;
  for (size_t row = 0; row < held.size(); ++row) {
    (held[row] ? valid : train).push_back(static_cast<int64_t>(row));
  }
  if (valid.empty() || train.empty()) {
    throw DataError(joined(all.files), text_of("expected rows to train and to validate on, found ",
                                               all.rows(), " in all"));
  }
  std::cerr << "heed: " << data::split_note(valid.size(), held.size(), "rows", seed) << '\n';
  return {.train = data::chosen_rows(all, train),
          .valid = data::chosen_rows(all, valid),
          .shown = shown_rows(all, valid, settings.train)};
}

// "numbers age, bmi; categories sex (2), region (4)".
std::string kinds_text(const data::TableData& data) {
  std::vector<std::string> numbers;
  std::vector<std::string> categories;
  for (const data::TableColumn& column : data.columns) {
    if (column.is_category) {
      categories.push_back(text_of(printable(column.name), " (", column.names.size(), ')'));
    } else {
      numbers.push_back(printable(column.name));
    }
  }
  std::vector<std::string> kinds;
  if (!numbers.empty()) kinds.push_back("numbers " + joined(numbers));
  if (!categories.empty()) kinds.push_back("categories " + joined(categories));
  return joined(kinds, "; ");
}

void run_train_table(const TrainTableSettings& settings) {
  settings.training.prepare();
  tasks::TableLearningOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  const Tables tables = read(settings);
  const data::TableColumn& target = *tables.train.target;
  std::cerr << "heed: " << tables.train.rows() << " rows train, " << tables.valid.rows()
            << " validate; " << kinds_text(tables.train) << "; target " << printable(target.name)
            << (target.is_category ? text_of(", ", target.names.size(), " classes") : ", a number")
            << '\n';
  tasks::TableLearning task(tables.train, tables.valid, options, settings.columns.missing);
  settings.training.train(task, tables.shown);
  const models::TrainedTable best = models::load_table_transformer(settings.training.out);
  const auto found = tasks::outputs(best, tasks::encode(best.columns, tables.valid));
  std::cerr << "heed: on the rows that validate:\n"
            << table_report(tasks::scores_of(best, found, *tables.valid.target),
                            tasks::table_baselines(best, tables.train, tables.valid));
}

void define_train_table(Options& options, TrainTableSettings& s) {
  const std::string group = "Table";
  add_example_files(options, {s.train, s.valid, s.valid_share}, "Tables");
  options.add("--target", s.columns.target, "Column that is to be told, by name or number")
      .required()
      .group(group);
  options.add("--ignore", s.columns.ignored, "Columns that are not read")
      .separated_by(',')
      .group(group);
  options
      .add("--numbers", s.columns.numbers,
           "Columns that hold numbers; without, and not among --categories: told by their cells")
      .separated_by(',')
      .group(group);
  options.add("--categories", s.columns.categories, "Columns that hold categories")
      .separated_by(',')
      .group(group);
  options
      .add("--missing", s.columns.missing,
           "Cells that are gaps as empty ones are, whatever their case")
      .separated_by(',')
      .group(group);
  s.rows.add_skip_bad(options);
  s.table.add_table_options(options);
  s.table.add_max_classes(options, "Classes, at most");
  visit_fields(s.task, FieldOptions(options));
  // Columns have no order, and are all read.
  add_model_options(options, s.task.model,
                    {.help = {{"max_length", ""},
                              {"positions", ""},
                              {"rope_theta", ""},
                              {"max_relative_positions", ""},
                              {"pattern", ""},
                              {"d_model", "Size of a column's vector"}}});
  s.training.add_to(options, tasks::TableLearning::watchable());
}

}  // namespace

Command train_table_command() {
  return {
      .path = "train table",
      .summary = "Train a model that tells a column of a table from the others",
      .examples =
          "  heed train table --train houses.csv --target price --out model\n"
          "  heed train table --train people.csv --target income --valid later.csv --out model\n"
          "  heed train table --train patients.tsv --target outcome --ignore name,id "
          "--categories ward --out model\n",
      .define = with_settings(define_train_table, run_train_table),
  };
}

}  // namespace heed::cli
