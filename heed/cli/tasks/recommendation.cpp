// What a recommender says of users, and how well.
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/options/interaction_sets.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/writing/recommend_report.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/models/files/fields_json.h"

namespace heed::cli {
namespace {

struct RecommendOptions {
  InteractionReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};
  int64_t top = AnswerChoice().top;

  void check() const { table.parsed(); }
  data::InteractionData read(const std::string& file, const models::DataColumns& known) const {
    return reading.read(file, table, rows, known);
  }
};

class RecommenderAdapter final : public TaskAdapter {
 public:
  RecommenderAdapter(models::TrainedRecommender trained, RecommendOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"users", trained_.users.size()}}, trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    check_usage(files.size() == 1, "a recommender: expected one file, got ", files.size());
    const data::InteractionData data = options_.read(files[0], trained_.columns);
    const tasks::KnownCases known = tasks::known_cases(trained_, data);
    if (known.cases.empty()) {
      throw DataError(data.file, "expected a user with two items that the model knows, found none");
    }
    const auto evaluation = tasks::evaluate(trained_, known.cases, progress);
    TaskEvaluation result{.metrics = tasks::metrics_of(evaluation.model),
                          .details = recommend_details(evaluation),
                          .report = recommend_report(evaluation)};
    result.metrics.insert(result.metrics.begin(), {"loss", evaluation.model.loss});
    result.metrics.emplace_back("examples", static_cast<double>(known.cases.size()));
    const auto say = [&](int64_t count, const std::string& what) {
      if (count > 0) result.warnings.push_back(text_of(data.file, ": ", count, what));
    };
    say(known.unknown, " interactions with items that the model does not know");
    say(known.left_out, " users left out, with less than two items that the model knows");
    return result;
  }

  // Histories as attend() takes them: items with commas between them.
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override {
    const data::InteractionData data = options_.read(files.at(0), trained_.columns);
    const tasks::KnownItems known(trained_.items);
    std::vector<std::string> inputs;
    for (const std::vector<int32_t>& history : data.histories) {
      std::vector<std::string> items;
      for (const int32_t item : history) {
        const std::string& name = data.items[static_cast<size_t>(item)];
        if (known.number(name) >= 0 && name.find(',') == std::string::npos) items.push_back(name);
      }
      inputs.push_back(joined(items, ","));
    }
    return {.inputs = some_of(std::move(inputs)),
            .not_checked = {{"padding", "each user is answered alone"}}};
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::InteractionData data = options_.reading.read_good_rows(
        file, options_.table, options_.rows, trained_.columns, answers.report());
    const std::vector<int32_t> known = tasks::KnownItems(trained_.items).numbers(data.items);
    for (size_t user = 0; user < data.users.size(); ++user) {
      std::vector<int32_t> history;
      for (const int32_t item : data.histories[user]) {
        if (known[static_cast<size_t>(item)] >= 0) {
          history.push_back(known[static_cast<size_t>(item)]);
        }
      }
      const auto best = tasks::recommend(trained_, history, {.top = options_.top});
      std::string line = printable(data.users[user]);
      for (const tasks::Recommended& each : best) {
        line += '\t' + printable(title_of(trained_, each.item));
      }
      answers.add(data.file, {},
                  {.line = std::move(line),
                   .json = {{"user", data.users[user]}, {"items", items_json(trained_, best)}}});
    }
  }

  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    std::vector<int32_t> history = history_of(argument);
    const int64_t most = trained_.model->options().transformer.max_length;
    if (std::ssize(history) > most) history.erase(history.begin(), history.end() - most);
    const auto best = tasks::recommend(trained_, history, {.top = 1});
    nn::AttentionRecorder recorder;
    const at::Tensor logits = trained_.model->next(models::text_batch({&history}, 0))[0];
    AttentionView view{.title = best.empty() ? argument
                                             : answer_title(title_of(trained_, best[0].item),
                                                            best[0].probability)};
    for (const int32_t item : history) view.keys.push_back(title_of(trained_, item));
    view.queries = view.keys;
    view.calls = std::move(recorder.self);
    if (request.gradients && !best.empty()) view.score = logits[best[0].item];
    view.details["items"] = items_json(trained_, best);
    return view;
  }

 private:
  // Of a user by name, or items with commas between them.
  std::vector<int32_t> history_of(const std::string& argument) const {
    const auto user = std::find(trained_.users.begin(), trained_.users.end(), argument);
    if (user != trained_.users.end()) {
      return trained_.histories[static_cast<size_t>(user - trained_.users.begin())];
    }
    const tasks::KnownItems known(trained_.items);
    std::vector<int32_t> history;
    std::istringstream words(argument);
    for (std::string word; std::getline(words, word, ',');) {
      const int32_t item = known.number(word);
      check_usage(item >= 0, "expected a user, or items with commas between them, got ",
                  excerpt(word, 40), ", which is neither");
      history.push_back(item);
    }
    check_usage(!history.empty(), "expected a user, or items with commas between them");
    return history;
  }

  models::TrainedRecommender trained_;
  RecommendOptions options_;
};

TaskLoader define_recommendation(TaskOptions& options, Use use) {
  if (use == Use::kInspect || use == Use::kAttend || use == Use::kDoctor) {
    return loader_of<RecommenderAdapter>([] { return RecommendOptions(); },
                                         models::load_recommender);
  }
  const auto& reading = options.use<InteractionReading>();
  const auto& rows = options.use<TimedRows>();
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  const AnswerChoice* choice = use == Use::kPredict ? &options.use<AnswerChoice>({"top"}) : nullptr;
  return loader_of<RecommenderAdapter>(
      [&reading, &rows, &table, choice] {
        RecommendOptions given{.reading = reading, .rows = rows, .table = table};
        if (choice != nullptr) given.top = choice->top;
        return given;
      },
      models::load_recommender);
}

}  // namespace

TaskKind recommendation() {
  return {.model_type = "heed_recommender", .name = "recommend", .define = define_recommendation};
}

}  // namespace heed::cli
