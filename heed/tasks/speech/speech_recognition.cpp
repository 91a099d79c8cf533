#include "heed/tasks/speech/speech_recognition.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <functional>
#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/inference/ctc.h"
#include "heed/io/utf8.h"
#include "heed/metrics/words.h"
#include "heed/nn/layers/subsampling.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/speech/speech_classification.h"

namespace heed::tasks {
namespace {

// The texts of units: words, or characters with one blank between words.
std::vector<std::string> units_of(const std::string& text, bool words) {
  std::vector<std::string> units;
  const auto split = metrics::split_words(text);
  if (words) return {split.begin(), split.end()};
  for (const std::string_view word : split) {
    if (!units.empty()) units.emplace_back(" ");
    for (size_t at = 0; at < word.size();) {
      const size_t begin = at;
      next_code_point(word, at);
      units.emplace_back(word.substr(begin, at - begin));
    }
  }
  return units;
}

std::vector<std::string> tokens_of(const data::SoundData& data, bool words) {
  std::set<std::string> found;
  for (const data::SoundExample& example : data.examples) {
    for (std::string& unit : units_of(example.entry.target, words)) found.insert(std::move(unit));
  }
  std::vector<std::string> tokens = {""};
  tokens.insert(tokens.end(), found.begin(), found.end());
  return tokens;
}

std::vector<int32_t> ids_of(const std::vector<std::string>& tokens,
                            const std::vector<std::string>& units) {
  std::vector<int32_t> ids;
  for (const std::string& unit : units) {  // all but the blank are sorted
    const auto at = std::lower_bound(tokens.begin() + 1, tokens.end(), unit);
    if (at != tokens.end() && *at == unit) ids.push_back(static_cast<int32_t>(at - tokens.begin()));
  }
  return ids;
}

Source source_of_spoken(const char* name, const data::SoundData& data) {
  return source_of(name, [&](Checksum& sum) {
    for (const data::SoundExample& example : data.examples) {
      sum.add(example.entry.target);
      sum.add(example.features.values.data(), example.features.values.size() * sizeof(float));
    }
  });
}

// The words of the best text, with the times of its tokens.
Transcript transcript_of(const models::TrainedSpeechRecognizer& trained,
                         const inference::CtcLogits& logits, const TranscribeOptions& options) {
  Transcript result;
  std::vector<int32_t> ids;
  if (options.ctc_beams == 1) {
    ids = inference::ctc_greedy(logits);
  } else {
    const auto best = inference::ctc_beam_search(logits, {.num_beams = options.ctc_beams}).front();
    ids = best.ids;
    result.log_probability = best.log_probability;
  }
  const auto spans = inference::ctc_align(logits, ids);
  const models::SpeechOptions& speech = trained.model->options().speech;
  const double step = speech.frame_shift / 1000 * static_cast<double>(speech.subsampling);
  bool new_word = true;
  for (size_t i = 0; i < spans.size(); ++i) {
    const std::string& token = trained.tokens[static_cast<size_t>(ids[i])];
    if (token == " ") {
      new_word = true;
      continue;
    }
    if (new_word || trained.words) {
      result.words.push_back(
          {.text = {}, .begin = static_cast<double>(spans[i].begin) * step, .end = 0});
    }
    new_word = false;
    result.words.back().text += token;
    result.words.back().end = static_cast<double>(spans[i].end) * step;
  }
  result.text = joined(result.words, " ", &SpokenWord::text);
  return result;
}

// What a model says of some sounds, on the CPU.
struct Said {
  std::vector<int64_t> numbers;  // of the sounds
  at::Tensor log_probabilities;  // (B, N, V) float32
  at::Tensor steps;              // (B)

  inference::CtcLogits of(int64_t row) const {
    return {.values = log_probabilities.const_data_ptr<float>() +
                      row * log_probabilities.size(1) * log_probabilities.size(2),
            .steps = steps[row].item<int64_t>(),
            .tokens = log_probabilities.size(2)};
  }
};

void for_each_said(const models::TrainedSpeechRecognizer& trained,
                   const std::vector<const audio::LogMel*>& sounds, const Progress& progress,
                   const std::function<void(const Said&)>& use) {
  const c10::InferenceMode inference;
  for_each_frame_batch(sounds, trained.scale, device_of(*trained.model), progress,
                       [&](const std::vector<int64_t>& numbers, const FrameBatch& batch) {
                         const auto result = trained.model->forward(batch.frames, batch.lengths);
                         use({.numbers = numbers,
                              .log_probabilities = result.states.cpu().to(at::kFloat).contiguous(),
                              .steps = result.lengths.cpu()});
                       });
}

}  // namespace

at::Tensor ctc_loss_sum(const at::Tensor& log_probabilities, const at::Tensor& steps,
                        const std::vector<std::vector<int32_t>>& texts) {
  std::vector<int64_t> targets, lengths;
  for (const auto& text : texts) {
    targets.insert(targets.end(), text.begin(), text.end());
    lengths.push_back(std::ssize(text));
  }
  const auto to = at::TensorOptions(at::kLong).device(log_probabilities.device());
  return at::ctc_loss(log_probabilities.transpose(0, 1).to(at::kFloat), at::tensor(targets, to),
                      steps, at::tensor(lengths, to), inference::kCtcBlank, at::Reduction::Sum,
                      /*zero_infinity=*/true);
}

std::vector<std::string> speech_unit_names() { return {"characters", "words"}; }

std::vector<int32_t> speech_tokens(const models::TrainedSpeechRecognizer& trained,
                                   const std::string& text) {
  return ids_of(trained.tokens, units_of(text, trained.words));
}

SpeechRecognition::SpeechRecognition(data::SoundData train, data::SoundData valid,
                                     const SpeechRecognitionOptions& options)
    : options_(options), train_(std::move(train)), valid_(std::move(valid)) {
  trained_.words = options.units == "words";
  trained_.tokens = tokens_of(train_, trained_.words);
  trained_.scale = scale_of(frames_of(train_.examples));
  models::SpeechRecognizerOptions model = options.model;
  model.num_tokens = std::ssize(trained_.tokens);
  const auto all = train_.examples.size();
  std::erase_if(train_.examples, [&](const data::SoundExample& example) {
    const int64_t frames = example.features.frames;
    std::vector<int32_t> target = speech_tokens(trained_, example.entry.target);
    if (nn::Subsampling::steps(frames, model.speech.subsampling) < inference::ctc_steps(target)) {
      return true;
    }
    targets_.push_back(std::move(target));
    lengths_.push_back(frames);
    return false;
  });
  if (train_.examples.size() < all) {
    warnings_.push_back(text_of(all - train_.examples.size(), " of ", all,
                                " sounds are too short for their texts and are not learnt from; "
                                "a smaller --subsampling gives them more steps"));
  }
  if (train_.examples.empty()) {
    throw DataError(train_.name, "expected a sound that is long enough for its text, found none");
  }
  for (const data::SoundExample& example : valid_.examples) {
    valid_targets_.push_back(speech_tokens(trained_, example.entry.target));
  }
  trained_.model = std::make_shared<models::SpeechRecognizer>(model);
}

std::vector<Source> SpeechRecognition::sources() const {
  return {source_of_spoken("training data", train_), source_of_spoken("validation data", valid_)};
}

std::unique_ptr<SpokenBatch> SpeechRecognition::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<SpokenBatch>(std::move(examples));
  std::vector<const audio::LogMel*> sounds;
  for (const int64_t number : batch->examples) {
    const auto at = static_cast<size_t>(number);
    sounds.push_back(&train_.examples[at].features);
    batch->texts.push_back(targets_[at]);
  }
  batch->sounds = frame_batch(sounds, trained_.scale);
  return batch;
}

Loss SpeechRecognition::loss_of(const SpokenBatch& prepared) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor frames = augmented(prepared.sounds, options_.augmentation).to(device);
  const auto said = trained_.model->forward(frames, prepared.sounds.lengths.to(device));
  double count = 0;
  for (const auto& text : prepared.texts) count += static_cast<double>(text.size());
  count = std::max(count, 1.0);
  return {.value = ctc_loss_sum(said.states, said.lengths, prepared.texts) / count,
          .tokens = prepared.sounds.lengths.sum().item<int64_t>(),
          .weight = count};
}

Metrics SpeechRecognition::validate(const Progress& progress) {
  std::vector<Transcript> transcripts(valid_.examples.size());
  double loss = 0, count = 0;
  for_each_said(trained_, frames_of(valid_.examples), progress, [&](const Said& said) {
    std::vector<std::vector<int32_t>> texts;
    for (size_t i = 0; i < said.numbers.size(); ++i) {
      const auto number = static_cast<size_t>(said.numbers[i]);
      texts.push_back(valid_targets_[number]);
      count += static_cast<double>(texts.back().size());
      transcripts[number] =
          transcript_of(trained_, said.of(static_cast<int64_t>(i)), {.ctc_beams = 1});
    }
    loss += ctc_loss_sum(said.log_probabilities, said.steps, texts).item<double>();
  });
  Metrics metrics = speech_errors(valid_, transcripts);
  metrics.emplace(metrics.begin(), "loss", loss / std::max(count, 1.0));
  return metrics;
}

void SpeechRecognition::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<Transcript> transcribe(const models::TrainedSpeechRecognizer& trained,
                                   const std::vector<const audio::LogMel*>& sounds,
                                   const TranscribeOptions& options, const Progress& progress) {
  std::vector<Transcript> transcripts(sounds.size());
  for_each_said(trained, sounds, progress, [&](const Said& said) {
    for (size_t i = 0; i < said.numbers.size(); ++i) {
      transcripts[static_cast<size_t>(said.numbers[i])] =
          transcript_of(trained, said.of(static_cast<int64_t>(i)), options);
    }
  });
  return transcripts;
}

Metrics speech_errors(const data::SoundData& data, const std::vector<Transcript>& transcripts) {
  metrics::ErrorRate words, characters;
  for (size_t i = 0; i < transcripts.size(); ++i) {
    const std::string& right = data.examples[i].entry.target;
    words.add(metrics::word_errors(right, transcripts[i].text));
    characters.add(metrics::character_errors(right, transcripts[i].text));
  }
  return {{"wer", words.rate()},
          {"cer", characters.rate()},
          {"examples", static_cast<double>(transcripts.size())}};
}

}  // namespace heed::tasks
