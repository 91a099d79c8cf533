#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/writing/recommend_report.h"
#include "heed/cli/writing/table_writer.h"
#include "heed/io/printable.h"

namespace heed::cli {
namespace {

struct RecommendSettings {
  std::string model;
  std::vector<std::string> users;
  std::vector<std::string> history;
  tasks::RecommendOptions options;
  bool json = false;
  ThreadOptions threads;
};

class Recommendations {
 public:
  Recommendations(const models::TrainedRecommender& trained, const RecommendSettings& settings)
      : trained_(trained),
        settings_(settings),
        table_({}, TableWriter::Form::kTsv, [](const std::string& line) { std::cout << line; }) {}

  void for_user(const std::string& user) {
    const auto found = std::find(trained_.users.begin(), trained_.users.end(), user);
    const bool known = found != trained_.users.end();
    if (!known) say_popular(text_of("user ", printable(user), " is not known"));
    print({{"user", user}},
          known ? trained_.histories[static_cast<size_t>(found - trained_.users.begin())]
                : std::vector<int32_t>());
  }

  void for_history(const std::vector<std::string>& names) {
    const tasks::KnownItems known(trained_.items);
    std::vector<int32_t> history;
    std::vector<std::string> unknown;
    for (const std::string& name : names) {
      const int32_t item = known.number(name);
      item >= 0 ? history.push_back(item) : unknown.push_back(printable(name));
    }
    if (!unknown.empty()) {
      std::cerr << "heed: --history: not known and left out: " << joined(unknown) << '\n';
    }
    if (history.empty()) say_popular("no item of the history is known");
    print(OrderedJson::object(), history);
  }

 private:
  static void say_popular(const std::string& why) {
    std::cerr << "heed: " << why << ": what is taken most often\n";
  }

  void print(OrderedJson row, const std::vector<int32_t>& history) {
    const auto items = items_json(trained_, tasks::recommend(trained_, history, settings_.options));
    if (settings_.json) {
      row["known"] = !history.empty();
      row["items"] = items;
      std::cout << row.dump() << '\n';
      return;
    }
    int64_t rank = 0;
    for (const OrderedJson& item : items) {
      row["rank"] = ++rank;
      row.update(item);
      table_.add(row);
    }
  }

  const models::TrainedRecommender& trained_;
  const RecommendSettings& settings_;
  TableWriter table_;
};

void run_recommend(const RecommendSettings& settings) {
  settings.threads.apply();
  check_usage(settings.users.empty() != settings.history.empty(),
              "expected either --user or --history");
  const models::TrainedRecommender trained = models::load_recommender(settings.model);
  Recommendations recommendations(trained, settings);
  for (const std::string& user : settings.users) recommendations.for_user(user);
  if (!settings.history.empty()) recommendations.for_history(settings.history);
  flush_output();
}

void define_recommend(Options& options, RecommendSettings& s) {
  options.add("model", s.model, "Directory of a model that `heed train recommend` made").required();
  options
      .add("--user", s.users,
           "A user of the training data, commas between several; one that is "
           "not known gets what is taken most often")
      .separated_by(',');
  options
      .add("--history", s.history,
           "Instead of a user: items that somebody took, the oldest first, "
           "commas between them")
      .separated_by(',');
  options.add("--top", s.options.top, "How many items to recommend").at_least(1);
  options.flag("--with-seen", s.options.with_seen, "Also items that the user took before");
  options.flag("--json", s.json, "Print a JSON object for each user");
  s.threads.add_to(options);
}

}  // namespace

Command recommend_command() {
  return {
      .path = "recommend",
      .summary = "Say which items a user takes next",
      .examples =
          "  heed recommend model --user 17\n"
          "  heed recommend model --history B00004,B00017 --top 5\n"
          "  heed recommend model --user 17,18 --json\n",
      .define = with_settings(define_recommend, run_recommend),
  };
}

}  // namespace heed::cli
