// The options that commands for sounds have in common.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/sounds/sound_data.h"

namespace heed::cli {

// Which column of a table of sounds holds their files.
struct SoundReading {
  std::string file_column;

  void add_to(Options& command);

  // `table`: of its options those that add_table_options() adds, and the column of what is wanted
  // of each sound: --label-column or --text-column.
  data::SoundListOptions list(const ReadingOptions& table, const TimedRows& rows,
                              data::SoundTarget target) const;

  // Reads sounds, and says on the messages what was left out. `labels`: those of a model. Throws as
  // data::read_sounds does, DataError for what that reports.
  struct Heard {
    audio::LogMelOptions features;
    double max_seconds = 0;
    data::SoundTarget target = data::SoundTarget::kLabel;
    std::vector<std::string> labels = {};
  };
  data::SoundData read(const std::vector<std::string>& inputs, const ReadingOptions& table,
                       const TimedRows& rows, const Heard& heard) const;
};

}  // namespace heed::cli
