// What is said in a sound of any length, by a published model that hears half a minute at a time
// (Whisper).                                                                   Radford et al. 2023
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/audio/sound.h"
#include "heed/models/published/published.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

struct Transcriber {
  std::shared_ptr<models::published::Published> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  audio::LogMelOptions hearing = audio::whisper_options();  // by preprocessor_config.json
  // Ids of tokens: what begins, what ends, and what says that no times are written; times follow
  // it, 20 ms apart, whether the tokenizer has them or not.
  int64_t start = 0;
  std::vector<int64_t> ends;
  int64_t no_timestamps = 0;
  bool multilingual = false;
  std::vector<int64_t> languages = {};  // the tokens of those that it knows, sorted
  int64_t most_first_time = 50;         // of the first time that is written, in steps of 20 ms

  bool is_time(int64_t id) const { return id > no_timestamps; }
  // Of a time: seconds from the beginning of what is heard at once.
  double seconds_of(int64_t time) const {
    return 0.02 * static_cast<double>(time - no_timestamps - 1);
  }
};

// Throws MissingInputError, or DataError where a file cannot be used or the tokenizer lacks one of
// the tokens.
Transcriber load_transcriber(const std::filesystem::path& directory);

struct TranscriptionOptions {
  // Of multilingual models: "en"; empty: as generation_config.json says, or what the model takes
  // it for.
  std::string language = "";
  // Into English; without: as generation_config.json says, otherwise not.
  std::optional<bool> translate = {};
  bool timestamps = true;
  int64_t num_beams = 0;                 // 0: as generation_config.json says; 1: greedy
  std::function<bool()> cancelled = {};  // asked before each token; true: throws Interrupted
};

struct SpokenSegment {
  double begin = 0;  // seconds
  double end = 0;
  std::string text;
  std::vector<int64_t> ids;  // without times
};

struct Transcription {
  std::string language;  // of multilingual models
  std::vector<SpokenSegment> segments;
};

// Half a minute after the other, each from where the last one that was written whole ends; by the
// rules of Whisper: times come in pairs and do not go back, and a time is written where all
// times together are likelier than any text. `progress` counts frames. Throws UsageError for a
// language that the model does not know.
Transcription transcribe(const Transcriber& transcriber, const audio::Sound& sound,
                         const TranscriptionOptions& options = {}, const Progress& progress = {});

// What the model hears of the beginning of a sound, silence behind its end, and what it writes.
struct HeardChunk {
  audio::LogMel features;
  at::Tensor frames;            // (1, frames, bins): the same
  std::vector<int64_t> prompt;  // what stands before all that is written
  std::vector<int64_t> ids;     // with times
};

// Of what is heard at once. Throws as transcribe, and UsageError for a sound that is longer.
HeardChunk heard_at_once(const Transcriber& transcriber, const audio::Sound& sound,
                         const TranscriptionOptions& options = {});

// The logits that these rules leave: −∞ for others. `written`: what follows the prompt so far.
void apply_time_rules(const Transcriber& transcriber, std::span<const int64_t> written,
                      std::span<float> logits);

}  // namespace heed::tasks
