#include <iostream>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/interaction_sets.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/writing/recommend_report.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_recommend_defaults() {
  training::TrainingOptions options;
  options.epochs = 60;
  options.batch_size = 128;
  options.lr = 1e-3;
  options.optimizer.beta2 = 0.98;  // rare items move less at each sight
  return options;
}

struct TrainRecommendSettings {
  std::string train;
  std::string item_names;
  std::string name_column;
  InteractionReading reading;
  TimedRows rows;
  ReadingOptions table;
  tasks::RecommendationOptions task;
  TrainingSettings training{train_recommend_defaults()};
};

// Users with the items before the one that validates, as `heed attend` takes them. One item alone
// might be taken for a user, and a comma within one for the end of it.
HeldOut shown_users(const models::TrainedRecommender& trained) {
  return held_out_of(trained.users.size(), [&](size_t user) -> HeldOutExample {
    const std::vector<int32_t>& history = trained.histories[user];
    if (history.size() < 4) return {};
    std::vector<std::string> items;
    for (size_t i = 0; i + 2 < history.size(); ++i) {
      items.push_back(trained.items[static_cast<size_t>(history[i])]);
      if (items.back().find(',') != std::string::npos) return {};
    }
    return {.input = joined(items, ","),
            .about = {.name = trained.users[user],
                      .right = title_of(trained, history[history.size() - 2])}};
  });
}

void run_train_recommend(const TrainRecommendSettings& settings) {
  settings.training.prepare();
  tasks::RecommendationOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  const data::InteractionData data =
      settings.reading.read(settings.train, settings.table, settings.rows);
  data::ItemNames names;
  if (!settings.item_names.empty()) {
    names = settings.reading.read_names(settings.item_names, settings.name_column, settings.table,
                                        settings.rows);
  }
  tasks::Recommendation task(data, names, options);
  std::cerr << "heed: " << data.users.size() << " users, " << data.items.size() << " items, "
            << data.count() << " interactions"
            << (data.has_times ? "" : ", in the order of the file") << '\n';
  settings.training.train(task, shown_users(task.trained()));
  const models::TrainedRecommender best = models::load_recommender(settings.training.out);
  std::cerr << "heed: each user's last item, predicted from those before it:\n"
            << recommend_report(tasks::evaluate(best, task.test_cases(), progress_bar("testing")));
}

void define_train_recommend(Options& options, TrainRecommendSettings& s) {
  const std::string group = "Interactions";
  options
      .add("--train", s.train,
           "Interactions: a table with a row for each time that a user took an item")
      .required()
      .group(group);
  options.add("--item-names", s.item_names, "A table of items and what they are called")
      .group(group);
  options.add("--name-column", s.name_column, "Of that table: the column of the names")
      .group(group);
  s.reading.add_to(options);
  s.rows.add_to(options);
  s.table.add_table_options(options);
  visit_fields(s.task, FieldOptions(options));
  add_model_options(
      options, s.task.model,
      {.help = {{"max_length", "Items of a history that are read, the last ones"},
                {"embedding_std", "Standard deviation that vectors of items start with"}}});
  s.training.add_to(options, tasks::Recommendation::watchable());
}

}  // namespace

Command train_recommend_command() {
  return {
      .path = "train recommend",
      .summary = "Train a model that recommends what a user takes next",
      .examples =
          "  heed train recommend --train taken.tsv --out model\n"
          "  heed train recommend --train ratings.csv --item-names movies.csv --out model\n"
          "  heed train recommend --train log.csv --user-column visitor --item-column page "
          "--out model\n",
      .define = with_settings(define_train_recommend, run_train_recommend),
  };
}

}  // namespace heed::cli
