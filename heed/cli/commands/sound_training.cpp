#include "heed/cli/commands/sound_training.h"

#include "heed/base/format.h"

namespace heed::cli {

std::string SoundParts::text() const {
  return text_of(train.examples.size(), " sounds to train (",
                 formatted("%.1f", train.seconds() / 60), " minutes), ", valid.examples.size(),
                 " to validate");
}

HeldOut SoundParts::shown() const {
  return held_out_of(valid.examples.size(), [&](size_t i) {
    const data::SoundEntry& entry = valid.examples[i].entry;
    return HeldOutExample{.input = entry.file, .about = {.right = entry.target}};
  });
}

void SoundTraining::add_to(Options& options, const std::string& what) {
  add_example_files(options, {.train = train, .valid = valid, .valid_share = valid_share}, what);
  reading.add_to(options);
  rows.add_skip_bad(options);
  if (target == data::SoundTarget::kLabel) {
    table.add_label_column(options);
  } else {
    options
        .add("--text-column", table.text_column,
             "Name or number of the column that holds what is said")
        .group("Reading data");
  }
  table.add_table_options(options);
}

SoundParts SoundTraining::read(const models::SpeechOptions& speech, uint64_t seed) const {
  SoundReading::Heard heard{.features = models::log_mel_options(speech),
                            .max_seconds = speech.max_seconds,
                            .target = target};
  SoundParts parts{.train = reading.read(train, table, rows, heard), .valid = {}};
  if (!valid.empty()) {
    heard.labels = parts.train.labels;
    parts.valid = reading.read(valid, table, rows, heard);
    return parts;
  }
  data::DataReport report;
  parts.valid = data::take_validation(parts.train, valid_share, seed, report);
  throw_or_warn(report);
  return parts;
}

models::SpeechOptions resolved(models::SpeechOptions options) {
  options.transformer = resolved(options.transformer);
  check(options);
  return options;
}

}  // namespace heed::cli
