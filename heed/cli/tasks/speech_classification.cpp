// What a classifier hears in sounds, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/attention_painter.h"
#include "heed/cli/options/speech_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/sound_input.h"
#include "heed/cli/tasks/sound_view.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/io/json_object.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields.h"
#include "heed/tasks/speech_classification.h"

namespace heed::cli {
namespace {

struct SpeechOptions {
  SoundReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};
  AnswerChoice choice = {};
  bool errors = false;

  void check() const { table.parsed(); }
};

class SpeechClassifierAdapter final : public TaskAdapter, public AttentionPainter {
 public:
  SpeechClassifierAdapter(models::TrainedSpeechClassifier trained, SpeechOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"labels", trained_.labels}}, trained_.model->options());
  }

  Evaluation evaluate(const std::vector<std::string>& files,
                      const tasks::Progress& progress) const override {
    const data::SoundData data = options_.reading.read(
        files, options_.table, options_.rows,
        {.features = features(), .max_seconds = speech().max_seconds, .labels = trained_.labels});
    const at::Tensor logits =
        tasks::speech_logits(trained_, tasks::frames_of(data.examples), progress);
    Evaluation result = evaluation_of(tasks::speech_scores(data, logits), trained_.labels);
    if (options_.errors) result.wrong = wrong_of(data, logits);
    return result;
  }

  void predict(const std::string& file, Answers& answers) const override {
    answer_sounds(
        file, options_.reading.list(options_.table, options_.rows, data::SoundTarget::kNone),
        {.features = features(), .max_seconds = speech().max_seconds},
        [&](const std::vector<data::SoundExample>& sounds) {
          return answer(sounds, answers.form());
        },
        answers);
  }

  AttentionView attend(const std::string& argument,
                       const AttentionRequest& /*request*/) const override {
    return sound_view(hear(argument), speech());
  }

  std::vector<std::string> draw(const std::string& argument, const std::string& path,
                                const std::vector<int64_t>& layers,
                                const std::vector<int64_t>& heads) const override {
    return draw_sound(hear(argument), speech(), path, layers, heads);
  }

 private:
  const models::SpeechOptions& speech() const { return trained_.model->options().speech; }
  audio::LogMelOptions features() const { return models::log_mel_options(speech()); }

  HeardSound hear(const std::string& file) const {
    const c10::InferenceMode inference;
    const data::SoundExample sound =
        data::read_sound({.file = file}, features(), speech().max_seconds);
    const tasks::FrameBatch batch = tasks::frame_batch({&sound.features}, trained_.scale);
    HeardSound heard{.title = {}, .features = sound.features, .trace = {}, .details = {}};
    const at::Tensor shares =
        at::softmax(trained_.model->forward(batch.frames, batch.lengths, &heard.trace)[0], 0);
    const auto label = shares.argmax().item<int64_t>();
    const auto& name = trained_.labels[static_cast<size_t>(label)];
    const auto probability = shares[label].item<double>();
    heard.title = answer_title(name, probability);
    heard.details = {{"label", name}, {"probability", probability}};
    return heard;
  }

  std::vector<Answer> answer(const std::vector<data::SoundExample>& sounds,
                             const AnswerForm& form) const {
    const at::Tensor shares =
        at::softmax(tasks::speech_logits(trained_, tasks::frames_of(sounds)), 1).contiguous();
    std::vector<Answer> found;
    const auto* row = shares.const_data_ptr<float>();
    for (const data::SoundExample& sound : sounds) {
      found.push_back(answer_of(sound, {row, trained_.labels.size()}, form));
      row += trained_.labels.size();
    }
    return found;
  }

  Answer answer_of(const data::SoundExample& sound, std::span<const float> shares,
                   const AnswerForm& form) const {
    std::vector<size_t> order(shares.size());
    for (size_t c = 0; c < order.size(); ++c) order[c] = c;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return shares[a] > shares[b]; });
    const size_t best = order.front();
    const bool known = shares[best] >= options_.choice.threshold.value_or(0);
    const std::string& label = known ? trained_.labels[best] : options_.choice.unknown;
    Answer answer{.line = printable(sound.entry.file) + '\t' + answer_line(label, shares[best]),
                  .json = {}};
    if (!form.wants_json()) return answer;
    answer.json = {{"file", sound.entry.file},
                   {"label", known ? OrderedJson(label) : OrderedJson(nullptr)},
                   {"probability", shares[best]},
                   {"seconds", sound.seconds}};
    std::vector<std::pair<std::string, OrderedJson>> all;
    for (size_t c = 0; c < shares.size(); ++c) all.emplace_back(trained_.labels[c], shares[c]);
    answer.json["probabilities"] = object_of(std::move(all));
    if (!form.has_column("top")) return answer;
    order.resize(std::min(order.size(), static_cast<size_t>(options_.choice.top)));
    for (const size_t c : order) {
      answer.json["top"].push_back({{"label", trained_.labels[c]}, {"probability", shares[c]}});
    }
    return answer;
  }

  std::vector<Evaluation::Wrong> wrong_of(const data::SoundData& data,
                                          const at::Tensor& logits) const {
    const at::Tensor shares = at::softmax(logits, 1);
    std::vector<Evaluation::Wrong> wrong;
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

TaskLoader define(TaskOptions& options, Use use) {
  std::function<SpeechOptions()> given = [] { return SpeechOptions(); };
  if (use == Use::kEval || use == Use::kPredict) {
    const auto& reading = options.use<SoundReading>();
    const auto& rows = options.use<TimedRows>({"skip-bad"});
    const auto& table =
        options.use<ReadingOptions>({"label-column", "delimiter", "encoding", "max-bytes"});
    const ErrorsOption* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
    const AnswerChoice* choice = use == Use::kPredict ? &options.use<AnswerChoice>() : nullptr;
    given = [&reading, &rows, &table, errors, choice] {
      SpeechOptions all{.reading = reading, .rows = rows, .table = table};
      if (errors != nullptr) all.errors = errors->wanted();
      if (choice != nullptr) all.choice = *choice;
      return all;
    };
  }
  return loader_of<SpeechClassifierAdapter>(given, models::load_speech_classifier);
}

}  // namespace

TaskKind speech_classification() {
  return {.model_type = "heed_speech_classifier", .name = "speech", .define = define};
}

}  // namespace heed::cli
