#include "heed/data/sounds/sound_data.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/label_set.h"
#include "heed/data/split.h"
#include "heed/data/table_column.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

namespace fs = std::filesystem;

constexpr auto kFileNames =
    std::to_array<std::string_view>({"file", "path", "filename", "file_name", "filepath",
                                     "file_path", "audio", "wav", "sound", "recording", "clip"});
constexpr auto kTranscriptNames = std::to_array<std::string_view>(
    {"text", "transcript", "transcription", "sentence", "normalized_text", "words"});

std::span<const std::string_view> usual_names(SoundTarget target) {
  if (target == SoundTarget::kText) return kTranscriptNames;
  return usual_label_names();
}

std::string_view target_option(SoundTarget target) {
  return target == SoundTarget::kText ? "--text-column" : "--label-column";
}

// All sounds below a folder, in order.
std::vector<fs::path> sounds_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (audio::has_sound_name(entry.path()) && !entry.is_directory()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Lister {
 public:
  Lister(const SoundListOptions& options, DataReport& report)
      : options_(options), report_(report) {}

  void add(const fs::path& input) {
    const size_t before = list_.entries.size();
    list_.name +=
        (list_.name.empty() ? "" : ", ") + (input == "-" ? "standard input" : input.string());
    if (fs::is_directory(input)) {
      add_folder(input);
    } else if (audio::has_sound_name(input)) {
      check_usage(
          options_.target == SoundTarget::kNone, input.string(),
          ": expected a folder or a table, which say of each sound what it is, got a sound");
      list_.entries.push_back({.file = input.string()});
    } else {
      add_table(input);
    }
    if (list_.entries.size() == before && report_.fatal_count() == 0) {
      report_.add(ProblemKind::kNoExamples, input.string(), 0, "expected sounds, found none");
    }
  }

  SoundList take() { return std::move(list_); }

 private:
  void add_folder(const fs::path& folder) {
    check_usage(options_.target != SoundTarget::kText, folder.string(),
                ": expected a table, which says what is said in each sound, got a folder");
    if (options_.target == SoundTarget::kNone) {
      for (const fs::path& file : sounds_below(folder)) {
        list_.entries.push_back({.file = file.string()});
      }
      return;
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!entry.is_directory()) continue;
      for (const fs::path& file : sounds_below(entry.path())) {
        list_.entries.push_back(
            {.file = file.string(), .target = entry.path().filename().string()});
      }
    }
    std::sort(list_.entries.begin(), list_.entries.end(),
              [](const SoundEntry& a, const SoundEntry& b) { return a.file < b.file; });
  }

  void add_table(const fs::path& file) {
    OpenTable table(file, options_.table, report_);
    if (table.is_empty()) return;
    const auto& cells = table.first().cells;
    const auto names_column = [&](const std::string& cell) {
      const std::string name(trimmed(cell));
      return is_among(cell, kFileNames) || is_among(cell, usual_names(options_.target)) ||
             (!name.empty() && (name == options_.file_column || name == options_.target_column));
    };
    const bool header = std::any_of(cells.begin(), cells.end(), names_column);
    table.set_header(header);
    const auto at =
        find_column({"--file-column", options_.file_column, kFileNames, 0}, table, header).place;
    check_usage(at.has_value(), table.file(),
                ": cannot tell which column holds the files; name it with --file-column");
    std::optional<size_t> target_at;
    if (options_.target != SoundTarget::kNone) {
      target_at = find_column({target_option(options_.target), options_.target_column,
                               usual_names(options_.target), *at == 0 ? size_t{1} : size_t{0}},
                              table, header)
                      .place;
      check_usage(target_at.has_value(), table.file(), ": cannot tell which column holds the ",
                  options_.target == SoundTarget::kText ? "texts" : "classes", "; name it with ",
                  target_option(options_.target));
    }
    const fs::path folder = file == "-" ? fs::path() : file.parent_path();
    for (Row row; table.next(row);) {
      const std::string_view name = table.name(row, *at, "the file of a sound");
      if (name.empty()) continue;
      SoundEntry entry{
          .file = (folder / std::string(name)).string(), .listed = table.file(), .line = row.line};
      if (target_at) {
        entry.target = trimmed(row.cells[*target_at]);
        if (entry.target.empty()) {
          table.bad(
              row,
              text_of("column ", *target_at + 1, ": expected what ", name, " is, found nothing"),
              ProblemKind::kMissingLabel);
          continue;
        }
      }
      list_.entries.push_back(std::move(entry));
    }
    list_.left_out += table.left_out();
  }

  const SoundListOptions& options_;
  DataReport& report_;
  SoundList list_;
};

// The classes sorted, and what the examples say of them.
void sort_classes(SoundData& data) {
  const std::vector<int32_t> places = sort_with_places(data.labels);
  for (SoundExample& example : data.examples) {
    example.label = places[static_cast<size_t>(example.label)];
  }
}

// The message of an error, without the file that it begins with.
std::string reason(const Error& error, const std::string& file) {
  const std::string message = error.what();
  return message.rfind(file + ": ", 0) == 0 ? message.substr(file.size() + 2) : message;
}

}  // namespace

std::string SoundEntry::where() const { return listed.empty() ? file : text_of(listed, ":", line); }

double SoundData::seconds() const {
  return std::accumulate(examples.begin(), examples.end(), 0.0,
                         [](double sum, const SoundExample& each) { return sum + each.seconds; });
}

SoundList list_sounds(const std::vector<fs::path>& inputs, const SoundListOptions& options,
                      DataReport& report) {
  Lister lister(options, report);
  for (const fs::path& input : inputs) lister.add(input);
  return lister.take();
}

SoundExample read_sound(const SoundEntry& entry, const audio::LogMelOptions& features,
                        double max_seconds) {
  const audio::Sound sound = audio::read_sound(entry.file, max_seconds);
  return {.entry = entry, .seconds = sound.seconds(), .features = audio::log_mel(sound, features)};
}

SoundData read_sounds(const std::vector<fs::path>& inputs, const SoundReadOptions& options,
                      DataReport& report, const std::function<void(int64_t, int64_t)>& progress) {
  audio::check(options.features);
  SoundList list = list_sounds(inputs, options.list, report);
  SoundData data{.name = list.name, .labels = {}, .examples = {}, .left_out = list.left_out};
  LabelSet labels(options.label_names);
  const bool has_labels = options.list.target == SoundTarget::kLabel;
  const uint64_t allowed = bytes_allowed(options.list.table.limits);
  uint64_t bytes = 0;
  int64_t done = 0;
  const auto bad = [&](const SoundEntry& entry, ProblemKind kind, const std::string& why) {
    if (options.list.table.skip_bad) {
      ++data.left_out;
    } else if (entry.listed.empty()) {
      report.add(kind, entry.file, 0, why);
    } else {
      report.add(kind, entry.listed, entry.line, entry.file + ": " + why);
    }
  };
  for (SoundEntry& entry : list.entries) {
    if (progress) progress(++done, std::ssize(list.entries));
    const auto look_alike = [&](const std::string& detail) {
      const bool listed = !entry.listed.empty();
      report.add(ProblemKind::kLookAlike, listed ? entry.listed : entry.file,
                 listed ? entry.line : 0, detail);
    };
    const auto label = has_labels ? labels.index_of(entry.target, look_alike) : std::nullopt;
    if (has_labels && !label) {
      bad(entry, ProblemKind::kUnknownLabel,
          text_of("class ", excerpt(entry.target, 40), " is none of the model's"));
      continue;
    }
    try {
      data.examples.push_back(read_sound(entry, options.features, options.max_seconds));
    } catch (const IoError&) {
      throw;
    } catch (const Error& error) {
      bad(entry, ProblemKind::kMalformedRow, reason(error, entry.file));
      continue;
    }
    SoundExample& example = data.examples.back();
    if (label) example.label = *label;
    bytes += example.features.values.size() * sizeof(float);
    if (bytes > allowed) {
      throw DataError(data.name, text_of("what the model hears of the sounds takes more than ",
                                         allowed, " bytes of memory (--max-bytes)"));
    }
  }
  data.labels = labels.names();
  if (has_labels && !labels.is_fixed()) sort_classes(data);
  if (data.examples.empty() && report.fatal_count() == 0) {
    report.add(ProblemKind::kNoExamples, data.name, 0, "expected sounds, found none");
  }
  return data;
}

SoundData take_validation(SoundData& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (const SoundExample& example : train.examples) {
    keys.push_back({.kind = std::to_string(example.label), .group = example.entry.file});
  }
  SoundData valid{.name = train.name, .labels = train.labels, .examples = {}};
  valid.examples = take_held_back(train.examples, held_back(keys, share, seed));
  report.note(split_note(valid.examples.size(), keys.size(), "sounds", seed));
  if (valid.examples.empty()) {
    report.add(
        ProblemKind::kNoExamples, train.name, 0,
        "expected sounds to hold back for validation, found none; give --valid, or more sounds");
  }
  return valid;
}

}  // namespace heed::data
