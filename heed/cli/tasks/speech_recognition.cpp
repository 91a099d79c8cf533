// What a recogniser writes of sounds, and how well.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/sound_adapter.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/speech/speech_classification.h"
#include "heed/tasks/speech/speech_recognition.h"

namespace heed::cli {
namespace {

// Of a search for texts.
struct SpeechBeams {
  tasks::TranscribeOptions search = {};

  void add_to(Options& options) { visit_fields(search, FieldOptions(options)); }
};

struct RecognitionOptions {
  SoundOptions sounds = {};
  SpeechBeams beams = {};
  bool errors = false;

  void check() const { sounds.table.parsed(); }
};

class SpeechRecognizerAdapter final : public SoundAdapter {
 public:
  SpeechRecognizerAdapter(models::TrainedSpeechRecognizer trained, RecognitionOptions options)
      : SoundAdapter(options.sounds), trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields(
        {{"tokens", trained_.tokens}, {"units", trained_.words ? "words" : "characters"}},
        trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    const data::SoundData data = read(files, data::SoundTarget::kText);
    const auto transcripts =
        tasks::transcribe(trained_, tasks::frames_of(data.examples), search(), progress);
    TaskEvaluation result{.metrics = tasks::speech_errors(data, transcripts)};
    if (options_.errors) result.wrong = wrong_of(data, transcripts);
    return result;
  }

 private:
  const models::SpeechOptions& speech() const override { return trained_.model->options().speech; }
  const tasks::TranscribeOptions& search() const { return options_.beams.search; }

  // What has the most errors for its length is the worst.
  static std::vector<TaskEvaluation::Wrong> wrong_of(
      const data::SoundData& data, const std::vector<tasks::Transcript>& transcripts) {
    std::vector<TaskEvaluation::Wrong> wrong;
    for (size_t i = 0; i < transcripts.size(); ++i) {
      const data::SoundEntry& sound = data.examples[i].entry;
      const metrics::ErrorRate words = metrics::word_errors(sound.target, transcripts[i].text);
      if (words.edits == 0) continue;
      wrong.push_back({.confidence = words.rate(),
                       .row = {{"where", sound.where()},
                               {"expected", sound.target},
                               {"predicted", transcripts[i].text},
                               {"wer", words.rate()},
                               {"file", sound.file}}});
    }
    return wrong;
  }

  HeardSound hear(const data::SoundExample& sound, bool scored) const override {
    const tasks::FrameBatch batch = tasks::frame_batch({&sound.features}, trained_.scale);
    const auto transcript = tasks::transcribe(trained_, {&sound.features}, search()).front();
    nn::AttentionRecorder recorder;
    const auto said = trained_.model->forward(batch.frames, batch.lengths);
    HeardSound heard{.title = transcript.text,
                     .features = sound.features,
                     .calls = std::move(recorder.self),
                     .details = json_of(transcript)};
    if (scored) {
      heard.score = -tasks::ctc_loss_sum(said.states, said.lengths,
                                         {tasks::speech_tokens(trained_, transcript.text)});
    }
    return heard;
  }

  static OrderedJson json_of(const tasks::Transcript& transcript) {
    OrderedJson words = OrderedJson::array();
    for (const tasks::SpokenWord& word : transcript.words) {
      words.push_back({{"word", word.text}, {"start", word.begin}, {"end", word.end}});
    }
    return {{"text", transcript.text}, {"words", std::move(words)}};
  }

  std::vector<Answer> answer(const std::vector<data::SoundExample>& sounds,
                             const AnswerForm& /*form*/) const override {
    const auto transcripts = tasks::transcribe(trained_, tasks::frames_of(sounds), search());
    std::vector<Answer> found;
    for (size_t i = 0; i < sounds.size(); ++i) {
      const std::string& file = sounds[i].entry.file;
      OrderedJson json = {{"file", file}};
      json.update(json_of(transcripts[i]));
      json["seconds"] = sounds[i].seconds;
      found.push_back({.line = printable(file) + '\t' + printable(transcripts[i].text),
                       .json = std::move(json)});
    }
    return found;
  }

  models::TrainedSpeechRecognizer trained_;
  RecognitionOptions options_;
};

TaskLoader define_speech_recognition(TaskOptions& options, Use use) {
  std::function<RecognitionOptions()> given = [] { return RecognitionOptions(); };
  if (use == Use::kEval || use == Use::kPredict) {
    const auto sounds = use_sound_options(options, "text-column");
    const auto& beams = options.use<SpeechBeams>();
    const ErrorsOption* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
    given = [sounds, &beams, errors] {
      return RecognitionOptions{
          .sounds = sounds(), .beams = beams, .errors = errors != nullptr && errors->wanted()};
    };
  }
  return loader_of<SpeechRecognizerAdapter>(given, models::load_speech_recognizer);
}

}  // namespace

TaskKind speech_recognition() {
  return {
      .model_type = "heed_speech_recognizer", .name = "asr", .define = define_speech_recognition};
}

}  // namespace heed::cli
