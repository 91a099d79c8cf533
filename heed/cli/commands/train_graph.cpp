#include <algorithm>
#include <iomanip>
#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/writing/graph_report.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_graph_defaults() {
  training::TrainingOptions options;
  options.epochs = 300;
  options.lr = 0.005;
  options.lr_scheduler = "constant";
  options.warmup_ratio = 0;
  options.max_grad_norm = 0;
  options.optimizer.name = "adam";
  options.optimizer.weight_decay = 5e-4;
  options.patience = 100;
  return options;
}

struct TrainGraphSettings {
  std::string train;
  HeldOutShares held_out;
  GraphReading reading;
  TimedRows rows;
  ReadingOptions table;
  tasks::NodeClassificationOptions task;
  TrainingSettings training{train_graph_defaults()};
};

std::vector<size_t> nodes_of(const data::GraphData& data, data::Part part) {
  std::vector<size_t> nodes;
  for (size_t i = 0; i < data.nodes.size(); ++i) {
    if (data.parts[i] == part) nodes.push_back(i);
  }
  return nodes;
}

HeldOutExample shown_node(const data::GraphData& data, size_t node) {
  const int32_t label = data.classes[node];
  return {.input = data.nodes[node],
          .about = {.right = label < 0 ? "" : data.labels[static_cast<size_t>(label)]}};
}

// Throws for sizes and shares that cannot be used, whatever the data holds.
void check_before_data(const TrainGraphSettings& settings) {
  models::GraphClassifierOptions model = settings.task.model;
  model.num_features = 1;
  model.num_classes = 2;
  check(model);
  tasks::parts_by_shares({}, settings.held_out.valid, settings.held_out.test, 0);
}

void run_train_graph(const TrainGraphSettings& settings) {
  settings.training.prepare();
  check_before_data(settings);
  data::GraphData data = settings.reading.read(settings.train, settings.table, settings.rows);
  if (!data.has_parts) {
    data.parts = tasks::parts_by_shares(data, settings.held_out.valid, settings.held_out.test,
                                        settings.training.options.seed);
  }
  tasks::NodeClassification task(data, settings.task);
  const auto count = [&](data::Part part) {
    return std::count(data.parts.begin(), data.parts.end(), part);
  };
  std::cerr << "heed: " << data.nodes.size() << " nodes, " << data.edges.size() << " edges, "
            << data.labels.size() << " classes; " << count(data::Part::kTrain) << " nodes train, "
            << count(data::Part::kValid) << " validate, " << count(data::Part::kTest) << " test\n";
  HeldOut shown = held_out(nodes_of(data, data::Part::kValid),
                           [&](size_t node) { return shown_node(data, node); });
  shown.options = {{"nodes", settings.train}};
  settings.training.train(task, shown);
  if (count(data::Part::kTest) == 0) return;
  const models::TrainedGraphClassifier best = models::load_graph_classifier(settings.training.out);
  std::cerr << "heed: on the nodes that test:\n"
            << graph_report(tasks::evaluate(best, data, data::Part::kTest));
}

void define_train_graph(Options& options, TrainGraphSettings& s) {
  const std::string group = "Graph";
  options
      .add("--train", s.train,
           "Nodes: a table with a row for each, its class, and what is known of it")
      .required()
      .group(group);
  s.reading.add_to(options);
  s.held_out.add_to(options, group,
                    "Without a column that says it: share of the nodes that validate, drawn by "
                    "--seed",
                    "The same of those that are tested at the end");
  s.rows.add_skip_bad(options);
  s.table.add_label_column(options);
  s.table.add_table_options(options);
  s.table.add_max_classes(options, "Classes, at most");
  visit_fields(s.task.model, FieldOptions(options));
  visit_fields(s.task, FieldOptions(options));
  s.training.add_to(options, tasks::NodeClassification::watchable());
}

}  // namespace

Command train_graph_command() {
  return {
      .path = "train graph",
      .summary = "Train a model that classifies the nodes of a graph",
      .examples =
          "  heed train graph --train nodes.tsv --edges edges.tsv --out model\n"
          "  heed train graph --train nodes.csv --edges edges.csv --score gatv2 --out model\n"
          "  heed train graph --train papers.csv --edges cites.csv --label-column topic --directed "
          "true --out model\n",
      .define = with_settings(define_train_graph, run_train_graph),
  };
}

}  // namespace heed::cli
