// Learning to write what is said, by CTC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/sounds/sound_data.h"
#include "heed/inference/ctc.h"
#include "heed/metrics/error_rates.h"
#include "heed/models/files/speech_recognizer_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/speech/spec_augment.h"

namespace heed::tasks {

// "characters", "words".
std::vector<std::string> speech_unit_names();

struct SpeechRecognitionOptions {
  models::SpeechRecognizerOptions model;  // tokens are read from the data
  std::string units = "characters";
  SpecAugmentOptions augmentation = {.time_mask_length = 20};
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<SpeechRecognitionOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "units",
                  .help = "What a step of the sound may say: a character, or a whole word of the "
                          "training data",
                  .choices = speech_unit_names},
        o.units);
  visit_fields(o.augmentation, visit);
}

struct SpokenBatch final : Batch {
  using Batch::Batch;
  FrameBatch sounds;
  std::vector<std::vector<int32_t>> texts;
};

class SpeechRecognition final : public TaskOf<SpokenBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. Sounds that are too short for their
  // texts are not learnt from.
  SpeechRecognition(data::SoundData train, data::SoundData valid,
                    const SpeechRecognitionOptions& options);

  std::string name() const override { return "asr"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<SpokenBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const SpokenBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "wer");
  }
  static std::vector<Watched> watchable() { return {lowest("loss"), lowest("wer"), lowest("cer")}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedSpeechRecognizer& trained() const { return trained_; }

  // "3 of 300 sounds are too short …"; empty: none is.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  SpeechRecognitionOptions options_;
  data::SoundData train_;
  data::SoundData valid_;
  models::TrainedSpeechRecognizer trained_;
  std::vector<std::vector<int32_t>> targets_;        // of train_
  std::vector<std::vector<int32_t>> valid_targets_;  // of valid_, for each evaluation
  std::vector<int64_t> lengths_;
  std::vector<std::string> warnings_;
};

// The tokens of a text; those that the model does not know are left out.
std::vector<int32_t> speech_tokens(const models::TrainedSpeechRecognizer& trained,
                                   const std::string& text);

// −Σ ln P(text | sound) of a batch: log-probabilities (B, steps, V), of which each row has `steps`
// (B), and the tokens of its text.
at::Tensor ctc_loss_sum(const at::Tensor& log_probabilities, const at::Tensor& steps,
                        const std::vector<std::vector<int32_t>>& texts);

struct SpokenWord {
  std::string text;
  double begin = 0;  // seconds
  double end = 0;
};

struct Transcript {
  std::string text;
  double log_probability = 0;
  std::vector<SpokenWord> words;
};

struct TranscribeOptions {
  int64_t ctc_beams = inference::CtcBeamOptions().num_beams;  // 1: the likeliest token of each step
};

template <nn::OptionsOf<TranscribeOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "ctc_beams",
                  .help = "Of models that write what is said: beginnings of a text that are "
                          "followed at a time; 1: the likeliest token of each step",
                  .least = 1,
                  .most = 10'000,
                  .group = "Written answers"},
        o.ctc_beams);
}

// What is said in each sound, in their order.
std::vector<Transcript> transcribe(const models::TrainedSpeechRecognizer& trained,
                                   const std::vector<const audio::LogMel*>& sounds,
                                   const TranscribeOptions& options = {},
                                   const Progress& progress = {});

// wer, cer (shares, not percent), examples, of transcripts of the sounds of `data`.
Metrics speech_errors(const data::SoundData& data, const std::vector<Transcript>& transcripts);

}  // namespace heed::tasks
