#include "heed/cli/tasks/sound_answers.h"

#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

constexpr size_t kAtOnce = 64;

struct SoundInput {
  data::SoundEntry entry;
  std::string where;

  OrderedJson columns() const { return {{"file", entry.file}}; }
};

// One that a table names and that is not there cannot be answered, as one that is no sound.
data::SoundExample read(const data::SoundEntry& entry, const Hearing& hearing) {
  try {
    return data::read_sound(entry, hearing.features, hearing.max_seconds);
  } catch (const MissingInputError& error) {
    if (entry.listed.empty()) throw;
    throw DataError(error.what());
  }
}

}  // namespace

void answer_sounds(const std::string& input, const data::SoundListOptions& options,
                   const Hearing& hearing, const AnswerSounds& answer, AnswerWriter& answers) {
  const data::SoundList list = data::list_sounds({input}, options, answers.report());
  std::vector<SoundInput> waiting;
  const auto answer_waiting = [&] {
    answer_all<SoundInput>(
        waiting,
        [&](std::span<const SoundInput> some) {
          std::vector<data::SoundExample> sounds;
          for (const SoundInput& each : some) sounds.push_back(read(each.entry, hearing));
          return answer(sounds);
        },
        answers);
    waiting.clear();
  };
  for (const data::SoundEntry& entry : list.entries) {
    waiting.push_back({.entry = entry, .where = entry.where()});
    if (waiting.size() == kAtOnce) answer_waiting();
  }
  answer_waiting();
}

}  // namespace heed::cli
