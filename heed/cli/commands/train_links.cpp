#include <iostream>

#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/writing/link_report.h"
#include "heed/tasks/graph/link_prediction.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_links_defaults() {
  training::TrainingOptions options;
  options.epochs = 300;
  options.lr = 0.005;
  options.lr_scheduler = "constant";
  options.warmup_ratio = 0;
  options.optimizer.name = "adam";
  options.patience = 50;
  return options;
}

struct TrainLinksSettings {
  std::string train;
  HeldOutShares held_out{.valid = tasks::LinkPredictionOptions().valid_share,
                         .test = tasks::LinkPredictionOptions().test_share};
  GraphReading reading;
  TimedRows rows;
  ReadingOptions table;
  tasks::LinkPredictionOptions task;
  TrainingSettings training{train_links_defaults()};
};

// Some of the pairs that validate, with an edge and without.
HeldOut shown_pairs(const data::GraphData& data, const tasks::LinkPairs& pairs) {
  const size_t linked = pairs.linked.size();
  return held_out_of(linked + pairs.others.size(), [&](size_t i) {
    const auto [from, to] = i < linked ? pairs.linked[i] : pairs.others[i - linked];
    const std::string& source = data.nodes[static_cast<size_t>(from)];
    const std::string& target = data.nodes[static_cast<size_t>(to)];
    return HeldOutExample{
        .input = source + '\t' + target,
        .about = {.name = source + " – " + target, .right = i < linked ? "linked" : "not linked"}};
  });
}

void run_train_links(const TrainLinksSettings& settings) {
  settings.training.prepare();
  tasks::LinkPredictionOptions options = settings.task;
  options.seed = settings.training.options.seed;
  options.valid_share = settings.held_out.valid;
  options.test_share = settings.held_out.test;
  const data::GraphData data = settings.reading.read(settings.train, settings.table, settings.rows,
                                                     {.labels = data::Labels::kNone});
  tasks::LinkPrediction task(data, options);
  const tasks::LinkSplit& split = task.split();
  std::cerr << "heed: " << data.nodes.size() << " nodes; " << split.train.size() << " edges train, "
            << split.valid.linked.size() << " validate, " << split.test.linked.size()
            << " test, beside as many pairs without an edge\n";
  HeldOut shown = shown_pairs(data, split.valid);
  shown.options = {{"nodes", settings.train}};
  settings.training.train(task, shown);
  if (split.test.linked.empty()) return;
  const models::TrainedGraphClassifier best = models::load_link_predictor(settings.training.out);
  std::cerr << "heed: on the edges that test:\n"
            << link_report(tasks::evaluate(best, tasks::with_edges(data, split.train), split.test));
}

void define_train_links(Options& options, TrainLinksSettings& s) {
  const std::string group = "Graph";
  options.add("--train", s.train, "Nodes: a table with a row for each, and what is known of it")
      .required()
      .group(group);
  s.reading.add_to(options);
  s.held_out.add_to(options, group,
                    "Share of the edges that validate, drawn by --seed: they are not read",
                    "The same of those that are tested at the end");
  s.rows.add_skip_bad(options);
  s.table.add_table_options(options);
  visit_fields(s.task, FieldOptions(options));
  visit_fields(s.task.model, FieldOptions(options, {.help = {{"directed", ""}}}));
  s.training.add_to(options, tasks::LinkPrediction::watchable());
}

}  // namespace

Command train_links_command() {
  return {
      .path = "train links",
      .summary = "Train a model that says which nodes of a graph are linked",
      .examples =
          "  heed train links --train nodes.tsv --edges edges.tsv --out model\n"
          "  heed train links --train people.csv --edges knows.csv --test-share 0.2 --score gatv2 "
          "--out model\n",
      .define = with_settings(define_train_links, run_train_links),
  };
}

}  // namespace heed::cli
