// What a language model says of texts: how well it predicts them, token by token.
#include "heed/tasks/generation/language_modeling.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/examples.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/cli/text_task.h"
#include "heed/inference/generate.h"
#include "heed/metrics/language.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/published/published.h"
#include "heed/tasks/generation/language_model_decoder.h"

namespace heed::cli {
namespace {

constexpr int64_t kContinuation = 60;  // tokens

struct LanguageOptions {
  ReadingOptions reading = {};  // --encoding and --max-bytes of it
  SpecialTokensOption special = {};

  void check() const { reading.parsed(); }
};

class LanguageModelAdapter final : public TextTask<TextInput> {
 public:
  LanguageModelAdapter(models::TrainedLanguageModel trained, LanguageOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {
    options_.special.apply_to(trained_.tokenizer);
  }

  OrderedJson description() const override;
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override;
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override {
    return {.inputs = some_texts(files, doctor::DataTask::kText)};
  }
  const torch::nn::Module* network() const override { return trained_.model.get(); }

 protected:
  data::CharacterEncoding encoding() const override { return options_.reading.parsed().encoding; }
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }
  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& answers) const override;
  AttentionView attention_of(const TextInput& asked,
                             const AttentionRequest& request) const override;

 private:
  std::string continuation_of(const text::Encoding& encoding) const;

  models::TrainedLanguageModel trained_;
  LanguageOptions options_;
};

OrderedJson LanguageModelAdapter::description() const {
  return models::with_fields({{"tokenizer", trained_.tokenizer->model_type()}},
                             trained_.model->options());
}

TaskEvaluation LanguageModelAdapter::evaluate(const std::vector<std::string>& files,
                                              const tasks::Progress& progress) const {
  data::DataReport report;
  const data::TextData data = data::read_text({.train = paths_of(files)},
                                              {.encoding = options_.reading.parsed().encoding,
                                               .valid_share = 0,
                                               .limits = options_.reading.limits()},
                                              report);
  throw_or_warn(report);
  TaskEvaluation evaluation{
      .metrics = tasks::evaluate(trained_, {.text = data.train, .where = files[0]}, progress)};
  const auto predicted = static_cast<int64_t>(tasks::metric(evaluation.metrics, "tokens"));
  evaluation.tokens = predicted;
  evaluation.warnings = tasks::cut_texts(trained_, {predicted + 1}).warnings();
  return evaluation;
}

std::string line_of(const metrics::LanguageLoss& loss) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4f\t%.4f", metrics::perplexity(loss),
                metrics::bits_per_byte(loss));
  return text;
}

Answer answer_of(const std::string& text, const text::Encoding& encoding,
                 const std::vector<float>& losses) {
  Answer answer{.line = "-\t-"};
  answer.json["text"] = text;
  answer.json["tokens"] = encoding.tokens;
  answer.json["log_probabilities"] = OrderedJson::array();
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    answer.json["log_probabilities"].push_back(i == 0 ? OrderedJson(nullptr)
                                                      : OrderedJson(-losses[i - 1]));
  }
  answer.json["perplexity"] = nullptr;
  answer.json["bits_per_byte"] = nullptr;
  if (losses.empty()) return answer;
  const metrics::LanguageLoss loss{
      .nats = std::accumulate(losses.begin(), losses.end(), 0.0),
      .tokens = static_cast<int64_t>(losses.size()),
      .bytes = static_cast<int64_t>(text.size()) - tasks::first_token_bytes(encoding)};
  answer.json["perplexity"] = metrics::perplexity(loss);
  if (loss.bytes < 1) {  // what is predicted stands for nothing of the text
    answer.line = formatted("%.4f\t-", metrics::perplexity(loss));
    return answer;
  }
  answer.line = line_of(loss);
  answer.json["bits_per_byte"] = metrics::bits_per_byte(loss);
  return answer;
}

std::vector<Answer> LanguageModelAdapter::answer(std::span<const TextInput> inputs,
                                                 AnswerWriter& answers) const {
  std::vector<Answer> all;
  for (const TextInput& input : inputs) {
    const std::string& text = input.text;
    const text::Encoding encoding = trained_.tokenizer->encode(text, trained_.surround());
    answers.count_cut(tasks::cut_texts(trained_, {std::ssize(encoding.ids)}));
    all.push_back(answer_of(text, encoding, tasks::token_losses(*trained_.model, encoding.ids)));
  }
  return all;
}

// What it writes behind a text, drawn always alike.
std::string LanguageModelAdapter::continuation_of(const text::Encoding& encoding) const {
  const c10::InferenceMode inference;
  tasks::LanguageModelDecoder decoder(trained_.model);
  inference::GenerateOptions options{.sampling = {.temperature = 0.8, .top_k = 40},
                                     .max_new_tokens = kContinuation};
  if (trained_.published) options.eos_token_ids = trained_.published->generation().eos_token_ids;
  const auto written =
      inference::generate(decoder, {encoding.ids.begin(), encoding.ids.end()}, options);
  const std::vector<int32_t> ids(written[0].ids.begin(), written[0].ids.end());
  return trained_.tokenizer->decode(ids);
}

AttentionView LanguageModelAdapter::attention_of(const TextInput& asked,
                                                 const AttentionRequest& request) const {
  const std::string& input = asked.text;
  const c10::InferenceMode inference(!request.gradients);
  const text::Encoding encoding = trained_.tokenizer->encode(input, trained_.surround());
  const auto count = static_cast<int64_t>(encoding.ids.size());
  const int64_t longest = trained_.model->options().transformer.max_length;
  if (count == 0 || count > longest) {
    throw DataError("the text", text_of("expected 1 to ", longest,
                                        " tokens (the context of the model), got ", count));
  }
  nn::AttentionRecorder recorder;
  const std::vector<int64_t> ids(encoding.ids.begin(), encoding.ids.end());
  const at::Tensor logits =
      trained_.model->forward({.ids = at::tensor(ids, at::kLong).unsqueeze(0)})
          .select(1, count - 1)[0];
  const at::Tensor next = logits.detach().to(at::kDouble).softmax(-1);
  const int64_t id = next.argmax().item<int64_t>();
  const std::string& token = trained_.tokenizer->token_of(static_cast<int32_t>(id));
  const auto probability = next[id].item<double>();
  AttentionView view{.title = answer_title("next: " + token, probability),
                     .calls = std::move(recorder.self),
                     .details = {{"next", token}, {"probability", probability}}};
  if (request.gradients) view.score = logits[id];
  if (request.continued) view.continuation = continuation_of(encoding);
  view.queries = view.keys = names_of(encoding, input);
  return view;
}

TaskLoader define_language_modeling(TaskOptions& options, Use use) {
  std::function<LanguageOptions()> given = [] { return LanguageOptions(); };
  if (use == Use::kEval) {
    given = [&reading = options.use<ReadingOptions>(
                 {"encoding", "max-bytes"})]() -> LanguageOptions { return {.reading = reading}; };
  } else if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>({"encoding"}),
             &special = options.use<SpecialTokensOption>()]() -> LanguageOptions {
      return {.reading = reading, .special = special};
    };
  }
  return loader_of<LanguageModelAdapter>(given, models::load_language_model);
}

}  // namespace

TaskKind language_modeling() {
  return {.model_type = "heed_language_model",
          .name = "lm",
          .define = define_language_modeling,
          .purpose = models::published::Purpose::kCausalLm};
}

}  // namespace heed::cli
