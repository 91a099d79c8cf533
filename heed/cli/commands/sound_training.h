// What commands that train on sounds have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/cli/options/model_options.h"
#include "heed/cli/options/speech_sets.h"
#include "heed/cli/options/training_settings.h"
#include "heed/models/parts/speech_encoder.h"

namespace heed::cli {

struct SoundParts {
  data::SoundData train;
  data::SoundData valid;

  // "120 sounds to train (1.5 minutes), 13 to validate".
  std::string text() const;

  // Some of those that validate: their files, with what is known of them.
  HeldOut shown() const;
};

// --train, --valid, --valid-share, and how sounds are read.
struct SoundTraining {
  data::SoundTarget target;  // what is learnt of each sound
  std::vector<std::string> train = {};
  std::vector<std::string> valid = {};
  double valid_share = kValidShare;
  SoundReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};

  // `what`: the sounds, in the help of --train and --valid.
  void add_to(Options& options, const std::string& what);

  // As a model with these options hears them, with the classes of the training part. Without
  // --valid a share is held back, drawn by `seed`. Throws as SoundReading::read does.
  SoundParts read(const models::SpeechOptions& speech, uint64_t seed) const;
};

// The options of a model that has a member `speech`, and of its task; resolved() as
// model_options.h says of others.
template <typename Task>
void add_speech_options(Options& options, Task& task) {
  task.model.speech.transformer.d_ff = 0;
  // The longest sound says how many steps there are; norms stand where Conformer has them.
  visit_fields(task.model,
               FieldOptions(options, {.help = {{"max_length", ""}, {"norm_first", ""}}}));
  visit_fields(task, FieldOptions(options));
}
models::SpeechOptions resolved(models::SpeechOptions options);

}  // namespace heed::cli
