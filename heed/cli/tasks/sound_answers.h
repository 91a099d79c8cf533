// Sounds that are asked about, a few at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heed/cli/writing/answer_writer.h"
#include "heed/data/sounds/sound_data.h"

namespace heed::cli {

// How a model hears.
struct Hearing {
  audio::LogMelOptions features;
  double max_seconds = 0;
};

// One answer a sound, in order.
using AnswerSounds =
    std::function<std::vector<Answer>(const std::vector<data::SoundExample>& sounds)>;

// Gives `answers` what `answer` says of the sounds of an input (data::list_sounds). A sound that
// cannot be read fails, and the others are answered as ever. Throws MissingInputError where the
// input itself is not there.
void answer_sounds(const std::string& input, const data::SoundListOptions& options,
                   const Hearing& hearing, const AnswerSounds& answer, AnswerWriter& answers);

}  // namespace heed::cli
