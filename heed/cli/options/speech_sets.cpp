#include "heed/cli/options/speech_sets.h"

#include <iostream>

#include "heed/base/error.h"
#include "heed/data/split.h"

namespace heed::cli {

void SoundReading::add_to(Options& command) {
  command
      .add("--file-column", file_column,
           "Of a table of sounds: the column of their files, by name or number")
      .group("Reading data");
}

data::SoundListOptions SoundReading::list(const ReadingOptions& table, const TimedRows& rows,
                                          data::SoundTarget target) const {
  const data::ReadOptions file = table.parsed();
  return {
      .table = {.encoding = file.encoding,
                .delimiter = file.delimiter,
                .skip_bad = rows.skip_bad,
                .limits = file.limits},
      .target = target,
      .file_column = file_column,
      .target_column = target == data::SoundTarget::kText ? table.text_column : table.label_column};
}

data::SoundData SoundReading::read(const std::vector<std::string>& inputs,
                                   const ReadingOptions& table, const TimedRows& rows,
                                   const Heard& heard) const {
  data::DataReport report;
  data::SoundData data = data::read_sounds(paths_of(inputs),
                                           {.list = list(table, rows, heard.target),
                                            .features = heard.features,
                                            .max_seconds = heard.max_seconds,
                                            .label_names = heard.labels},
                                           report, progress_bar("reading"));
  throw_or_warn(report);
  if (data.left_out > 0) {
    std::cerr << "heed: " << data.name << ": " << data.left_out
              << " sounds left out, which cannot be used\n";
  }
  return data;
}

data::SoundData held_back_sounds(data::SoundData& train, double share, uint64_t seed) {
  std::vector<data::SplitKey> keys;
  for (const data::SoundExample& example : train.examples) {
    keys.push_back({.kind = std::to_string(example.label), .group = example.entry.file});
  }
  data::SoundData valid{.name = train.name, .labels = train.labels, .examples = {}};
  const std::vector<bool> held = data::held_back(keys, share, seed);
  valid.examples = data::take_held_back(train.examples, held);
  std::cerr << "heed: " << data::split_note(valid.examples.size(), held.size(), "sounds", seed)
            << '\n';
  if (valid.examples.empty()) {
    throw DataError(train.name,
                    "expected sounds to hold back for validation, found none; give --valid, or "
                    "more sounds");
  }
  return valid;
}

}  // namespace heed::cli
