#include "heed/cli/tasks/question_answering.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "heed/base/format.h"
#include "heed/cli/task_kind.h"
#include "heed/io/printable.h"
#include "heed/metrics/answers.h"
#include "heed/models/files/fields_json.h"

namespace heed::cli {

OrderedJson QuestionAnswererAdapter::description() const {
  const models::QuestionAnswererOptions& options = trained_.model->options();
  OrderedJson all = {{"tokenizer", trained_.tokenizer->model_type()}};
  if (options.answers == "class") {
    all["labels"] = trained_.labels;
  } else {
    all = models::with_fields(std::move(all), trained_.spans);
  }
  return models::with_fields(std::move(all), options);
}

void add_wrong(TaskEvaluation& evaluation, const std::string& where, const std::string& question,
               const std::vector<std::string>& expected, const std::string& predicted,
               double probability) {
  if (metrics::answer_score(predicted, expected).exact > 0) return;
  evaluation.wrong.push_back({.confidence = probability,
                              .row = {{"where", where},
                                      {"expected", expected},
                                      {"predicted", predicted},
                                      {"probability", probability},
                                      {"text", question}}});
}

TaskEvaluation evaluation_of(const tasks::QuestionEvaluation& evaluation,
                             const std::vector<std::string>& files) {
  TaskEvaluation result{.metrics = evaluation.all};
  if (files.size() < 2) return result;
  size_t longest = 4;
  std::vector<std::string> names;
  for (const std::string& file : files) {
    names.push_back(printable(std::filesystem::path(file).filename().string()));
    longest = std::max(longest, names.back().size());
  }
  const auto padded = [&](std::string text) {
    text.resize(longest, ' ');
    return text;
  };
  result.report = padded("file") + "  exact match      F1  questions\n";
  for (size_t i = 0; i < files.size(); ++i) {
    const tasks::Metrics& metrics = evaluation.files[i];
    result.report += padded(names[i]) +
                     formatted("  %11.4f  %6.4f  %9.0f\n", tasks::metric(metrics, "exact_match"),
                               tasks::metric(metrics, "f1"), tasks::metric(metrics, "questions"));
    OrderedJson each = {{"file", files[i]}};
    each.update(json_of(metrics));
    result.details["files"].push_back(each);
  }
  return result;
}

AttentionView QuestionAnswererAdapter::shown(const std::vector<nn::AttendedHeads>& calls,
                                             const at::Tensor& score, const ReadUnits& units,
                                             const std::string& part) {
  const auto first = part == "question" ? units.order.end() - units.question : units.order.begin();
  const std::vector<int64_t> queries(first, units.order.end());
  const auto in_order = [&](const at::Tensor& all) {
    return all.index_select(2, at::tensor(queries, at::kLong))
        .index_select(3, at::tensor(units.order, at::kLong));
  };
  const WholeWeights whole = whole_weights(calls, score);
  AttentionView view{.weights = in_order(whole.weights), .score = score};
  if (score.defined()) view.effects = in_order(whole.effects);
  for (const int64_t unit : queries) view.queries.push_back(units.text(unit));
  for (const int64_t unit : units.order) view.keys.push_back(units.text(unit));
  return view;
}

namespace {

TaskLoader define_question_answering(TaskOptions& options, Use use) {
  std::function<QuestionOptions()> given = [] { return QuestionOptions(); };
  if (use == Use::kEval) {
    given = [&reading = options.use<ReadingOptions>({"encoding", "max-bytes"}),
             &errors = options.use<ErrorsOption>()]() -> QuestionOptions {
      return {.reading = reading, .errors = errors.wanted()};
    };
  } else if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>({"format", "encoding", "max-bytes"}),
             &choice = options.use<AnswerChoice>(),
             &special = options.use<SpecialTokensOption>()]() -> QuestionOptions {
      return {.reading = reading, .choice = choice, .special = special};
    };
  }
  return [given](const std::filesystem::path& directory) {
    QuestionOptions chosen = given();
    chosen.check();
    models::TrainedQuestionAnswerer trained = models::load_question_answerer(directory);
    return trained.model->options().answers == "class"
               ? story_answerer(std::move(trained), std::move(chosen))
               : span_answerer(std::move(trained), std::move(chosen));
  };
}

}  // namespace

TaskKind question_answering() {
  return {.model_type = "heed_question_answerer",
          .name = "qa",
          .define = define_question_answering,
          .purpose = models::published::Purpose::kQuestionAnswering,
          .attention_parts = {"question", "all"}};
}

}  // namespace heed::cli
