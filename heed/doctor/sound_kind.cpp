// Sounds with classes, or with what is said in them.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "heed/audio/sound.h"
#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/data/sounds/sound_data.h"
#include "heed/doctor/data_kind.h"

namespace heed::doctor {
namespace {

constexpr float kSilence = 1e-3F;       // the loudest sample: −60 dB
constexpr float kFullScale = 0.999F;    // of a sample
constexpr double kClipped = 1e-3;       // of the samples, at full scale
constexpr double kShortestSound = 0.1;  // seconds
constexpr double kLongestSound = 30;    // seconds that heed train reads unless it is told otherwise

bool are_sounds(const DataToCheck& asked) { return has_files(asked, audio::has_sound_name); }

// Some sounds of a split.
struct SomeSounds {
  int64_t count = 0;
  std::vector<std::string> examples = {};
  void add(const std::string& example) {
    ++count;
    if (examples.size() < kExamples) examples.push_back(example);
  }
};

struct HeardSplit {
  Split split;  // samples whose texts are the samples of the sounds
  SomeSounds unreadable, silent, clipped, brief, long_ones;
  std::map<int64_t, SomeSounds> rates;
  std::vector<double> seconds;
};

void listen(const data::SoundEntry& entry, const audio::Sound& sound, HeardSplit& heard) {
  float loudest = 0;
  int64_t full = 0;
  for (const float sample : sound.samples) {
    loudest = std::max(loudest, std::abs(sample));
    full += std::abs(sample) >= kFullScale ? 1 : 0;
  }
  const std::string where = entry.where();
  const double seconds = sound.seconds();
  if (loudest < kSilence) heard.silent.add(where);
  if (static_cast<double>(full) > kClipped * static_cast<double>(sound.samples.size())) {
    heard.clipped.add(where);
  }
  const std::string length = where + formatted(": %.2f s", seconds);
  if (seconds < kShortestSound) heard.brief.add(length);
  if (seconds > kLongestSound) heard.long_ones.add(length);
  heard.rates[sound.sampling_rate].add(where);
  heard.seconds.push_back(seconds);
  Sample& sample = heard.split.samples.emplace_back();
  sample.text.assign(reinterpret_cast<const char*>(sound.samples.data()),
                     sound.samples.size() * sizeof(float));
  sample.file = file_index(heard.split, where);
}

HeardSplit heard_of(const SplitFiles& files, const data::SoundListOptions& options, Data& data) {
  HeardSplit heard;
  heard.split.name = files.name;
  const bool classes = options.target == data::SoundTarget::kLabel;
  for (const data::SoundEntry& entry :
       data::list_sounds(files.files, options, data.reading).entries) {
    try {
      listen(entry, audio::read_sound(entry.file), heard);
    } catch (const Error& error) {
      heard.unreadable.add(error.what());
      continue;
    }
    if (!classes) continue;
    auto found = std::find(data.labels.begin(), data.labels.end(), entry.target);
    if (found == data.labels.end()) found = data.labels.insert(found, entry.target);
    heard.split.samples.back().labels = {static_cast<int32_t>(found - data.labels.begin())};
  }
  return heard;
}

struct SoundCheck {
  const char* name;
  Severity severity;
  const char* what;
  const char* advice;
  SomeSounds HeardSplit::*found;
};

constexpr SoundCheck kSoundChecks[] = {
    {"unreadable sounds", Severity::kStop, " cannot be read",
     "heed train refuses them; mend or remove them, or give --skip-bad there",
     &HeardSplit::unreadable},
    {"silence", Severity::kWarning, " are silent (nothing louder than −60 dB)",
     "remove them, unless silence is a class", &HeardSplit::silent},
    {"clipping", Severity::kWarning, " are cut off at full scale",
     "record them again at a lower level: what was louder is lost", &HeardSplit::clipped},
    {"durations", Severity::kWarning, " are shorter than 0.1 s",
     "a step of a model is hardly shorter; look at them", &HeardSplit::brief},
    {"durations", Severity::kWarning, " are longer than 30 s",
     "heed train refuses them; cut them, or give a larger --max-seconds there",
     &HeardSplit::long_ones},
};

void check_rates(const std::vector<HeardSplit>& all, Report& report) {
  report.made("sampling rates");
  std::map<int64_t, SomeSounds> rates;
  for (const HeardSplit& heard : all) {
    for (const auto& [rate, found] : heard.rates) {
      rates[rate].count += found.count;
      if (rates[rate].examples.empty()) rates[rate].examples = found.examples;
    }
  }
  std::vector<std::string> examples;
  for (const auto& [rate, found] : rates) {
    report.numbers["sampling_rates"][std::to_string(rate)] = found.count;
    examples.push_back(text_of(rate, " Hz: ", found.count, ", such as ", found.examples[0]));
  }
  if (rates.size() < 2) return;
  examples.resize(std::min(examples.size(), kExamples));
  report.add({.check = "sampling rates",
              .severity = Severity::kNote,
              .summary = text_of("sounds of ", rates.size(), " sampling rates"),
              .advice = "all are brought to one; those of a lower rate have no high tones, which a "
                        "model may learn classes by",
              .examples = std::move(examples)});
}

void check_sounds_of(const DataToCheck& asked, data::SoundTarget target, Report& report) {
  Data data;
  std::vector<HeardSplit> all;
  const data::SoundListOptions options{.table = asked.table(), .target = target};
  for (const SplitFiles& files : asked.splits) all.push_back(heard_of(files, options, data));
  for (HeardSplit& heard : all) data.splits.push_back(std::move(heard.split));
  begin_report(data, report);
  for (const SoundCheck& check : kSoundChecks) {
    report.made(check.name);
    for (size_t s = 0; s < all.size(); ++s) {
      const SomeSounds& found = all[s].*check.found;
      if (found.count == 0) continue;
      const int64_t of = std::ssize(data.splits[s].samples) + all[s].unreadable.count;
      report.add({.check = check.name,
                  .severity = check.severity,
                  .summary = text_of(data.splits[s].name, ": ",
                                     share_text(found.count, of, "sounds"), check.what),
                  .advice = check.advice,
                  .examples = found.examples});
    }
  }
  check_rates(all, report);
  for (size_t s = 0; s < all.size(); ++s) {
    std::vector<double>& seconds = all[s].seconds;
    std::sort(seconds.begin(), seconds.end());
    if (seconds.empty()) continue;
    report.numbers["seconds"][data.splits[s].name] = {{"shortest", seconds.front()},
                                                      {"median", seconds[seconds.size() / 2]},
                                                      {"longest", seconds.back()}};
  }
  check_duplicates(data, report, {.one = "sound", .many = "sounds", .words = false});
  check_balance(data, report);
}

}  // namespace

DataKind sounds_kind() {
  return {
      .task = "speech", .is = are_sounds, .check = [](const DataToCheck& asked, Report& report) {
        check_sounds_of(asked, data::SoundTarget::kLabel, report);
      }};
}

DataKind transcripts_kind() {
  return {.task = "asr", .check = [](const DataToCheck& asked, Report& report) {
            check_sounds_of(asked, data::SoundTarget::kText, report);
          }};
}

}  // namespace heed::doctor
