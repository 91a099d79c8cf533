// What a published model without a head, or a sentence-transformer, says of a text: its vector.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/cli/text_task.h"
#include "heed/tasks/text/embedding_training.h"

namespace heed::cli {
namespace {

struct EmbeddingOptions {
  ReadingOptions reading = {};
  std::string prompt = {};

  void check() const { reading.parsed(); }
};

class TextEmbedderAdapter final : public TextTask<TextInput> {
 public:
  TextEmbedderAdapter(tasks::TextEmbedder embedder, const EmbeddingOptions& options)
      : embedder_(std::move(embedder)),
        options_(options),
        prompt_(tasks::prompt_of(embedder_, options.prompt)) {}

  OrderedJson description() const override {
    const models::published::Published& model = *embedder_.model->model();
    return {{"architecture", model.model_type()},
            {"max_length", embedder_.max_length},
            {"vector_dim", tasks::embed(embedder_, {""}).size(1)},
            {"normalize", embedder_.model->modules_of_text().normalize}};
  }
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    data::DataReport report;
    const data::ReadOptions reading = options_.reading.parsed();
    const data::TextGroups groups = data::read_text_groups(
        paths_of(files), {.encoding = reading.encoding, .limits = reading.limits}, report);
    throw_or_warn(report);
    return {.metrics = tasks::evaluate(embedder_, groups, progress),
            .warnings = tasks::cut_texts(embedder_, groups).warnings()};
  }

 protected:
  data::CharacterEncoding encoding() const override { return options_.reading.parsed().encoding; }
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }

  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& answers) const override {
    std::vector<std::string> texts;
    for (const TextInput& input : inputs) texts.push_back(prompt_ + input.text);
    const at::Tensor vectors = tasks::embed(embedder_, texts);
    answers.count_cut(tasks::cut_texts(embedder_, texts));
    std::vector<Answer> found;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto* first = vectors[static_cast<int64_t>(i)].const_data_ptr<float>();
      const std::vector<float> values(first, first + vectors.size(1));
      found.push_back({.line = joined(values, " ",
                                      [](float value) { return formatted("%.7g", double{value}); }),
                       .json = {{"text", inputs[i].text}, {"vector", values}}});
    }
    return found;
  }

  // Of a text; of two with a tab between them of the first, and the cosine of both.
  AttentionView attention_of(const TextInput& input,
                             const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const size_t tab = input.text.find('\t');
    const std::string text = prompt_ + input.text.substr(0, tab);
    const text::Encoding encoding = embedder_.tokenizer->encode(text);
    nn::AttentionRecorder recorder;
    const at::Tensor vector = embedder_.model->forward(batch_of(encoding))[0];
    AttentionView view = view_of(encoding, text, recorder);
    view.title = input.text;
    if (tab == std::string::npos) return view;
    const at::Tensor vectors =
        tasks::embed(embedder_, {text, prompt_ + input.text.substr(tab + 1)}).to(at::kDouble);
    const auto cosine = at::cosine_similarity(vectors[0], vectors[1], 0).item<double>();
    view.title = formatted("cosine %.4f", cosine);
    view.details["cosine"] = cosine;
    if (request.gradients) {
      view.score = at::cosine_similarity(vector.to(at::kDouble), vectors[1].clone(), 0);
    }
    return view;
  }

 private:
  tasks::TextEmbedder embedder_;
  EmbeddingOptions options_;
  std::string prompt_;
};

TaskLoader define_text_embedding(TaskOptions& options, Use use) {
  std::function<EmbeddingOptions()> given = [] { return EmbeddingOptions(); };
  if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>({"encoding"}),
             &prompt = options.use<PromptOption>()]() -> EmbeddingOptions {
      return {.reading = reading, .prompt = prompt.name};
    };
  }
  return loader_of<TextEmbedderAdapter>(given, tasks::load_text_embedder);
}

}  // namespace

TaskKind text_embedding() {
  return {.name = "embed",
          .define = define_text_embedding,
          .purpose = models::published::Purpose::kFeatures};
}

}  // namespace heed::cli
