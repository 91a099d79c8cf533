#include "heed/cli/options/speech_sets.h"

namespace heed::cli {

void SoundReading::add_to(Options& command) {
  command
      .add("--file-column", file_column,
           "Of a table of sounds: the column of their files, by name or number")
      .group("Reading data");
}

data::SoundListOptions SoundReading::list(const ReadingOptions& table, const TimedRows& rows,
                                          data::SoundTarget target) const {
  return {
      .table = open_table_options(table, rows),
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
  say_count(data.name, data.left_out, "sounds left out, which cannot be used");
  return data;
}

}  // namespace heed::cli
