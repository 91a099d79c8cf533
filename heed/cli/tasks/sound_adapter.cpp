#include "heed/cli/tasks/sound_adapter.h"

#include <c10/core/InferenceMode.h>

#include "heed/cli/tasks/sound_answers.h"

namespace heed::cli {

std::function<SoundOptions()> use_sound_options(TaskOptions& options, const std::string& column) {
  return [&reading = options.use<SoundReading>(), &rows = options.use<TimedRows>({"skip-bad"}),
          &table = options.use<ReadingOptions>({column, "delimiter", "encoding", "max-bytes"})] {
    return SoundOptions{.reading = reading, .rows = rows, .table = table};
  };
}

void SoundAdapter::predict(const std::string& file, AnswerWriter& answers) const {
  answer_sounds(
      file, sounds_.reading.list(sounds_.table, sounds_.rows, data::SoundTarget::kNone),
      {.features = features(), .max_seconds = speech().max_seconds},
      [&](const std::vector<data::SoundExample>& sounds) { return answer(sounds, answers.form()); },
      answers);
}

AttentionView SoundAdapter::attend(const std::string& argument,
                                   const AttentionRequest& request) const {
  const c10::InferenceMode inference(!request.gradients);
  return sound_view(hear(data::read_sound({.file = argument}, features(), speech().max_seconds),
                         request.gradients),
                    speech());
}

data::SoundData SoundAdapter::read(const std::vector<std::string>& files, data::SoundTarget target,
                                   const std::vector<std::string>& labels) const {
  return sounds_.reading.read(files, sounds_.table, sounds_.rows,
                              {.features = features(),
                               .max_seconds = speech().max_seconds,
                               .target = target,
                               .labels = labels});
}

}  // namespace heed::cli
