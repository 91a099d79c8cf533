// What a language model says of texts: how well it predicts them, token by token.
#include "heed/tasks/language_modelling.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/trained.h"
#include "heed/metrics/language.h"

namespace heed::cli {
namespace {

class TrainedLanguage final : public Trained {
 public:
  explicit TrainedLanguage(models::TrainedLanguageModel trained) : trained_(std::move(trained)) {}

  std::string task() const override { return "lm"; }
  const torch::nn::Module& module() const override { return *trained_.model; }
  OrderedJson description() const override;
  std::vector<std::string> evaluation_options() const override { return {"encoding", "max-bytes"}; }
  Evaluation evaluate(const EvaluationRequest& request, const tasks::Progress& progress) override;
  std::vector<TokenizerPlace> tokenizers() override { return {&trained_.tokenizer}; }
  std::vector<Answer> predict(std::span<const Input> inputs,
                              const PredictionOptions& options) override;
  AttentionView attend(const std::string& input, const std::string& part) override;

 private:
  models::TrainedLanguageModel trained_;
};

OrderedJson TrainedLanguage::description() const {
  const models::LanguageModelOptions& options = trained_.model->options();
  OrderedJson all = {{"vocab_size", options.vocab_size},
                     {"tokenizer", trained_.tokenizer->model_type()},
                     {"tie_word_embeddings", options.tie_word_embeddings}};
  all.update(described(options.transformer));
  return all;
}

Evaluation TrainedLanguage::evaluate(const EvaluationRequest& request,
                                     const tasks::Progress& progress) {
  data::DataReport report;
  const data::TextData data = data::read_text({.train = paths_of(request.files)},
                                              {.encoding = request.reading.parsed().encoding,
                                               .valid_share = 0,
                                               .limits = request.reading.limits()},
                                              report);
  throw_or_warn(report);
  return {.metrics =
              tasks::evaluate(trained_, {.text = data.train, .where = request.files[0]}, progress)};
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

std::vector<Answer> TrainedLanguage::predict(std::span<const Input> inputs,
                                             const PredictionOptions& /*options*/) {
  std::vector<Answer> answers;
  for (const auto& [text, where, words] : inputs) {
    const text::Encoding encoding = trained_.tokenizer->encode(text, text::Surround::kNo);
    answers.push_back(
        answer_of(text, encoding, tasks::token_losses(*trained_.model, encoding.ids)));
  }
  return answers;
}

AttentionView TrainedLanguage::attend(const std::string& input, const std::string& /*part*/) {
  const c10::InferenceMode inference;
  const text::Encoding encoding = trained_.tokenizer->encode(input, text::Surround::kNo);
  const auto count = static_cast<int64_t>(encoding.ids.size());
  const int64_t longest = trained_.model->options().transformer.max_length;
  if (count == 0 || count > longest) {
    throw DataError("the text", text_of("expected 1 to ", longest,
                                        " tokens (the context of the model), got ", count));
  }
  nn::AttentionTrace trace;
  const std::vector<int64_t> ids(encoding.ids.begin(), encoding.ids.end());
  const at::Tensor next =
      trained_.model->forward({.ids = at::tensor(ids, at::kLong).unsqueeze(0)}, &trace)
          .select(1, count - 1)[0]
          .to(at::kDouble)
          .softmax(-1);
  const int64_t id = next.argmax().item<int64_t>();
  const std::string& token = trained_.tokenizer->token_of(static_cast<int32_t>(id));
  const auto probability = next[id].item<double>();
  AttentionView view{.title = answer_title("next: " + token, probability),
                     .weights = stacked_layers(trace.weights),
                     .details = {{"next", token}, {"probability", probability}}};
  for (const text::Span& span : encoding.offsets) {
    view.queries.push_back(input.substr(span.begin, span.size()));
  }
  view.keys = view.queries;
  return view;
}

}  // namespace

std::unique_ptr<Trained> load_language_modelling(const std::filesystem::path& directory) {
  return std::make_unique<TrainedLanguage>(models::load_language_model(directory));
}

}  // namespace heed::cli
