// What a classifier hears in sounds, and how well.
#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/sound_adapter.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/speech/speech_classification.h"

namespace heed::cli {
namespace {

struct SpeechOptions {
  SoundOptions sounds = {};
  AnswerChoice choice = {};
  bool errors = false;

  void check() const { sounds.table.parsed(); }
};

class SpeechClassifierAdapter final : public SoundAdapter {
 public:
  SpeechClassifierAdapter(models::TrainedSpeechClassifier trained, SpeechOptions options)
      : SoundAdapter(options.sounds), trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"labels", trained_.labels}}, trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    const data::SoundData data = read(files, data::SoundTarget::kLabel, trained_.labels);
    const at::Tensor logits =
        tasks::speech_logits(trained_, tasks::frames_of(data.examples), progress);
    TaskEvaluation result = evaluation_of(tasks::speech_scores(data, logits), trained_.labels);
    if (options_.errors) result.wrong = wrong_of(data, logits);
    return result;
  }

 private:
  const models::SpeechOptions& speech() const override { return trained_.model->options().speech; }

  HeardSound hear(const data::SoundExample& sound, bool scored) const override {
    const tasks::FrameBatch batch = tasks::frame_batch({&sound.features}, trained_.scale);
    nn::AttentionRecorder recorder;
    const at::Tensor logits = trained_.model->forward(batch.frames, batch.lengths)[0];
    HeardSound heard{.title = {},
                     .features = sound.features,
                     .calls = std::move(recorder.self),
                     .score = {},
                     .details = {}};
    const at::Tensor shares = at::softmax(logits.detach(), 0);
    const auto label = shares.argmax().item<int64_t>();
    const auto& name = trained_.labels[static_cast<size_t>(label)];
    const auto probability = shares[label].item<double>();
    heard.title = answer_title(name, probability);
    if (scored) heard.score = logits[label];
    heard.details = {{"label", name}, {"probability", probability}};
    return heard;
  }

  std::vector<Answer> answer(const std::vector<data::SoundExample>& sounds,
                             const AnswerForm& form) const override {
    const at::Tensor shares =
        at::softmax(tasks::speech_logits(trained_, tasks::frames_of(sounds)), 1)
            .to(at::kDouble)
            .contiguous();
    std::vector<Answer> found;
    const auto* row = shares.const_data_ptr<double>();
    for (const data::SoundExample& sound : sounds) {
      found.push_back(answer_of(sound, {row, trained_.labels.size()}, form));
      row += trained_.labels.size();
    }
    return found;
  }

  Answer answer_of(const data::SoundExample& sound, std::span<const double> shares,
                   const AnswerForm& form) const {
    const auto best =
        static_cast<size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
    const bool known = shares[best] >= options_.choice.threshold.value_or(0);
    const std::string& label = known ? trained_.labels[best] : options_.choice.unknown;
    Answer answer{.line = printable(sound.entry.file) + '\t' + answer_line(label, shares[best]),
                  .json = {}};
    if (!form.wants_json()) return answer;
    answer.json = {{"file", sound.entry.file},
                   {"label", known ? OrderedJson(label) : OrderedJson(nullptr)},
                   {"probability", shares[best]},
                   {"seconds", sound.seconds},
                   {"probabilities", probabilities_json(trained_.labels, shares)}};
    if (form.has_column("top")) {
      answer.json["top"] = likeliest_json(trained_.labels, shares, options_.choice.top);
    }
    return answer;
  }

  std::vector<TaskEvaluation::Wrong> wrong_of(const data::SoundData& data,
                                              const at::Tensor& logits) const {
    const at::Tensor shares = at::softmax(logits, 1);
    std::vector<TaskEvaluation::Wrong> wrong;
    for (size_t i = 0; i < data.examples.size(); ++i) {
      const data::SoundExample& example = data.examples[i];
      const at::Tensor row = shares[static_cast<int64_t>(i)];
      const auto best = row.argmax().item<int64_t>();
      if (best == example.label) continue;
      const auto confidence = row[best].item<double>();
      wrong.push_back({.confidence = confidence,
                       .row = {{"where", example.entry.where()},
                               {"expected", trained_.labels[static_cast<size_t>(example.label)]},
                               {"predicted", trained_.labels[static_cast<size_t>(best)]},
                               {"probability", confidence},
                               {"file", example.entry.file}}});
    }
    return wrong;
  }

  models::TrainedSpeechClassifier trained_;
  SpeechOptions options_;
};

TaskLoader define_speech_classification(TaskOptions& options, Use use) {
  std::function<SpeechOptions()> given = [] { return SpeechOptions(); };
  if (use == Use::kEval || use == Use::kPredict) {
    const auto sounds = use_sound_options(options, "label-column");
    const ErrorsOption* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
    const AnswerChoice* choice = use == Use::kPredict ? &options.use<AnswerChoice>() : nullptr;
    given = [sounds, errors, choice] {
      SpeechOptions all{.sounds = sounds()};
      if (errors != nullptr) all.errors = errors->wanted();
      if (choice != nullptr) all.choice = *choice;
      return all;
    };
  }
  return loader_of<SpeechClassifierAdapter>(given, models::load_speech_classifier);
}

}  // namespace

TaskKind speech_classification() {
  return {.model_type = "heed_speech_classifier",
          .name = "speech",
          .define = define_speech_classification};
}

}  // namespace heed::cli
