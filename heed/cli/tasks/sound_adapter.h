// What the adapters of tasks on sounds have in common.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/options/speech_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/sound_view.h"

namespace heed::cli {

// How sounds are read.
struct SoundOptions {
  SoundReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};
};

// Declares them, with the column of what is known of each sound (--label-column, --text-column).
// The options must outlive what is returned.
std::function<SoundOptions()> use_sound_options(TaskOptions& options, const std::string& column);

class SoundAdapter : public TaskAdapter {
 public:
  void predict(const std::string& file, AnswerWriter& answers) const override;
  AttentionView attend(const std::string& argument, const AttentionRequest& request) const override;

 protected:
  explicit SoundAdapter(SoundOptions options) : sounds_(std::move(options)) {}

  virtual const models::SpeechOptions& speech() const = 0;
  // What the model makes of a sound, and what it attended to in it; the score where it is `scored`.
  virtual HeardSound hear(const data::SoundExample& sound, bool scored) const = 0;
  // One answer a sound, in order.
  virtual std::vector<Answer> answer(const std::vector<data::SoundExample>& sounds,
                                     const AnswerForm& form) const = 0;

  // The examples of these files. `labels`: the classes of the model.
  data::SoundData read(const std::vector<std::string>& files, data::SoundTarget target,
                       const std::vector<std::string>& labels = {}) const;

 private:
  audio::LogMelOptions features() const { return models::log_mel_options(speech()); }

  SoundOptions sounds_;
};

}  // namespace heed::cli
