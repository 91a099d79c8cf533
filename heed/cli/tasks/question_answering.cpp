#include "heed/cli/tasks/question_answering.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "heed/base/format.h"

namespace heed::cli {

OrderedJson description_of(const models::TrainedQuestionAnswerer& trained) {
  const models::QuestionAnswererOptions& options = trained.model->options();
  const models::TransformerOptions& o = options.transformer;
  OrderedJson description = {
      {"answers", options.answers},
      {"vocabulary", options.vocabulary},
      {"tokenizer", trained.tokenizer->model_type()},
      {"units", options.units},
      {"longest", o.longest},
      {"width", o.width},
      {"heads", o.heads},
      {"layers", o.layers},
      {"hops", options.hops},
      {"hidden", o.hidden},
      {"activation", o.activation},
      {"norm", o.norm},
      {"norm_place", o.norm_place},
      {"score", o.attention.score},
      {"pattern", o.attention.pattern},
      {"positions", o.attention.positions},
  };
  if (options.answers == "class") {
    description["labels"] = trained.labels;
  } else {
    description["longest_answer"] = trained.spans.longest_answer;
    description["stride"] = trained.spans.stride;
    description["answer_may_be_missing"] = trained.spans.may_be_missing;
  }
  return description;
}

Evaluation evaluation_of(const tasks::QuestionEvaluation& evaluation,
                         const std::vector<std::string>& files) {
  Evaluation result{.metrics = evaluation.all};
  if (files.size() < 2) return result;
  size_t longest = 4;
  std::vector<std::string> names;
  for (const std::string& file : files) {
    names.push_back(std::filesystem::path(file).filename().string());
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

at::Tensor shown_weights(const std::vector<at::Tensor>& layers, const ShownUnits& shown) {
  const at::Tensor queries = at::tensor(shown.queries, at::kLong);
  const at::Tensor keys = at::tensor(shown.keys, at::kLong);
  std::vector<at::Tensor> chosen;
  for (const at::Tensor& weights : layers) {
    chosen.push_back(weights[0].index_select(1, queries).index_select(2, keys));
  }
  return stacked_layers(chosen);
}

std::string answer_line(const std::string& answer, double probability) {
  return answer + formatted("\t%.4f", probability);
}

std::string answer_title(const std::string& answer, double probability) {
  return answer + formatted(" (%.0f %%)", 100 * probability);
}

std::unique_ptr<Trained> load_question_answering(const std::filesystem::path& directory) {
  models::TrainedQuestionAnswerer trained = models::load_question_answerer(directory);
  return trained.model->options().answers == "class" ? story_answerer(std::move(trained))
                                                     : span_answerer(std::move(trained));
}

}  // namespace heed::cli
