// Sounds with their classes or with what is said in them: folders, tables of files, and what of
// them a model hears.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/data/data_report.h"
#include "heed/data/file_format.h"

namespace heed::data {

// What is known of each sound.
enum class SoundTarget : uint8_t {
  kNone,   // nothing; where it is given it is not looked at
  kLabel,  // a class
  kText,   // what is said
};

struct SoundListOptions {
  OpenTableOptions table = {};
  SoundTarget target = SoundTarget::kLabel;
  // Of tables. Names of the header or numbers from 1; empty: told by the usual names (file, path …;
  // label, class …; text, transcript, sentence …), without a header the first and the second one.
  std::string file_column = {};
  std::string target_column = {};
};

// A sound that is named somewhere.
struct SoundEntry {
  std::string file;
  std::string target = {};  // empty: none
  std::string listed = {};  // the table that names it; empty: a folder or the user
  int64_t line = 0;         // of the table

  std::string where() const;  // "list.csv:12", or the sound itself
};

// Each input is a sound by its name (audio::has_sound_name); a folder, which holds sounds or, with
// classes, a folder of sounds for each; or a table with the file of a sound in each row, paths
// given from the table's folder on ("-", standard input: from here). Throws MissingInputError,
// IoError; DataError for damaged gzip data and what is over the limits; UsageError for columns that
// are not there, and for a folder without names of texts where they are wanted. Rows that cannot be
// used are reported (kColumnCount, kMalformedRow, kMissingLabel) or left out, and so is an input
// without any sound (kNoExamples).
struct SoundList {
  std::string name;  // of the inputs, for messages
  std::vector<SoundEntry> entries;
  int64_t left_out = 0;  // rows, with skip_bad
};
SoundList list_sounds(const std::vector<std::filesystem::path>& inputs,
                      const SoundListOptions& options, DataReport& report);

struct SoundReadOptions {
  SoundListOptions list = {};
  audio::LogMelOptions features = {};
  double max_seconds = 30;                    // of a sound
  std::vector<std::string> label_names = {};  // the classes; empty: those of the data
};

struct SoundExample {
  SoundEntry entry;
  int32_t label = -1;  // with SoundTarget::kLabel
  double seconds = 0;
  audio::LogMel features;
};

struct SoundData {
  std::string name;
  std::vector<std::string> labels;  // sorted
  std::vector<SoundExample> examples;
  int64_t left_out = 0;  // rows and sounds, with skip_bad

  double seconds() const;
};

// What a model hears of a sound. Throws as audio::read_sound does.
SoundExample read_sound(const SoundEntry& entry, const audio::LogMelOptions& features,
                        double max_seconds);

// Reads the sounds of a list. What cannot be read is reported (kMalformedRow, kUnknownLabel), or
// left out with skip_bad; `progress` (done, all) may be empty. Throws DataError where the features
// take more than the limits of the table allow.
SoundData read_sounds(const std::vector<std::filesystem::path>& inputs,
                      const SoundReadOptions& options, DataReport& report,
                      const std::function<void(int64_t, int64_t)>& progress = {});

// Takes a share of the sounds for validation out of `train`, the same of each class, and notes it;
// none left over for it is reported (kNoExamples).
SoundData take_validation(SoundData& train, double share, uint64_t seed, DataReport& report);

}  // namespace heed::data
