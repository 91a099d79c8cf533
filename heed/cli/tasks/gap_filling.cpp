// What a masked language model puts in the gaps of a text.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/cli/text_task.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/tasks/text/embed.h"

namespace heed::cli {
namespace {

struct FillOptions {
  ReadingOptions reading = {};
  AnswerChoice choice = {};

  void check() const { reading.parsed(); }
};

class GapFiller final : public TextTask<TextInput> {
 public:
  GapFiller(tasks::MaskFiller filler, FillOptions options)
      : filler_(std::move(filler)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return {{"architecture", filler_.model->model_type()},
            {"max_length", filler_.model->transformer().max_length},
            {"mask_token", filler_.tokenizer->token_of(filler_.mask_id)}};
  }
  TaskEvaluation evaluate(const std::vector<std::string>& /*files*/,
                          const tasks::Progress& /*progress*/) const override {
    throw UsageError("heed eval: a masked language model has nothing to measure by itself");
  }

 protected:
  data::CharacterEncoding encoding() const override { return options_.reading.parsed().encoding; }
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }

  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& /*answers*/) const override {
    std::vector<Answer> found;
    for (const TextInput& input : inputs) {
      found.push_back(answer_of(input.text, tasks::fill(filler_, input.text, options_.choice.top)));
    }
    return found;
  }

  AttentionView attention_of(const TextInput& input,
                             const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const std::string text = tasks::with_own_mask(filler_, input.text);
    const text::Encoding encoding = filler_.tokenizer->encode(text);
    nn::AttentionRecorder recorder;
    const models::TextBatch batch = batch_of(encoding);
    const at::Tensor gaps = (batch.ids[0] == filler_.mask_id).nonzero().squeeze(1);
    at::Tensor score;
    if (request.gradients && gaps.numel() > 0) {
      score = filler_.model->forward(batch)[0].index_select(0, gaps).amax(1).sum();
    } else {
      filler_.model->states(batch);
    }
    AttentionView view = view_of(encoding, text, recorder);
    view.title = text;
    view.score = score;
    return view;
  }

 private:
  // As the text would have it.
  std::string word_of(int32_t id) const {
    const std::string word = filler_.tokenizer->decode(std::span(&id, 1));
    return word.empty() ? filler_.tokenizer->token_of(id) : std::string(trimmed(word));
  }

  // "paris<TAB>0.9312", the gaps one behind the other.
  Answer answer_of(const std::string& text, const std::vector<tasks::FilledGap>& gaps) const {
    Answer answer{.json = {{"text", text}, {"gaps", OrderedJson::array()}}};
    answer.line = joined(gaps, "\t", [&](const tasks::FilledGap& gap) {
      return answer_line(word_of(gap.best.front().id), gap.best.front().probability);
    });
    for (const tasks::FilledGap& gap : gaps) {
      OrderedJson top = OrderedJson::array();
      for (const auto& each : gap.best) {
        top.push_back({{"token", filler_.tokenizer->token_of(each.id)},
                       {"word", word_of(each.id)},
                       {"probability", each.probability}});
      }
      answer.json["gaps"].push_back({{"top", std::move(top)}});
    }
    return answer;
  }

  tasks::MaskFiller filler_;
  FillOptions options_;
};

TaskLoader define_gap_filling(TaskOptions& options, Use use) {
  std::function<FillOptions()> given = [] { return FillOptions(); };
  if (use == Use::kPredict) {
    given = [&reading = options.use<ReadingOptions>({"encoding"}),
             &choice = options.use<AnswerChoice>({"top"})]() -> FillOptions {
      return {.reading = reading, .choice = choice};
    };
  }
  return loader_of<GapFiller>(given, tasks::load_mask_filler);
}

}  // namespace

TaskKind gap_filling() {
  return {.name = "fill",
          .define = define_gap_filling,
          .purpose = models::published::Purpose::kMaskedLm};
}

}  // namespace heed::cli
