// Texts that stand more than once, exactly or nearly, within a split and across splits.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/doctor/checks.h"

namespace heed::doctor {
namespace {

constexpr size_t kRun = 5;         // characters of a run
constexpr size_t kBands = 16;      // of rows: two texts with 80 % in common share a band with
constexpr size_t kRowsOfBand = 4;  // probability 1 − (1 − 0.8⁴)¹⁶ > 0.9997
constexpr size_t kHashes = kBands * kRowsOfBand;
constexpr double kNear = 0.8;     // of the runs of two texts, in common
constexpr size_t kCompared = 16;  // texts of one band that a new one is compared with
constexpr size_t kShortest = 20;  // bytes; shorter texts are only compared exactly
constexpr double kLeakThatStops = 0.05;

struct Place {
  uint32_t split = 0;
  uint32_t sample = 0;
};

// One text of those that are the same but for case and punctuation.
struct Group {
  std::string bare;
  std::vector<Place> places;
};

uint64_t mixed(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

std::vector<uint32_t> runs_of(std::string_view bare) {
  std::vector<uint32_t> runs;
  for (size_t i = 0; i + kRun <= bare.size(); ++i) {
    uint64_t run = 0;
    for (size_t k = 0; k < kRun; ++k) run = run << 8 | static_cast<uint8_t>(bare[i + k]);
    runs.push_back(static_cast<uint32_t>(mixed(run)));
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

using Signature = std::array<uint32_t, kHashes>;

// The smallest of each of kHashes hashes over all runs.
Signature signature_of(const std::vector<uint32_t>& runs) {
  static const auto kFactors = [] {
    std::array<std::pair<uint32_t, uint32_t>, kHashes> factors;
    for (size_t i = 0; i < kHashes; ++i) {
      factors[i] = {static_cast<uint32_t>(mixed(2 * i + 1)) | 1U,
                    static_cast<uint32_t>(mixed(2 * i + 2))};
    }
    return factors;
  }();
  Signature smallest;
  smallest.fill(std::numeric_limits<uint32_t>::max());
  for (const uint32_t run : runs) {
    for (size_t i = 0; i < kHashes; ++i) {
      smallest[i] = std::min(smallest[i], run * kFactors[i].first + kFactors[i].second);
    }
  }
  return smallest;
}

// What its bands hold: two texts that are nearly the same have one in common.
using Bands = std::array<uint64_t, kBands>;

Bands bands_of(const std::vector<uint32_t>& runs) {
  const Signature signature = signature_of(runs);
  Bands bands;
  for (size_t band = 0; band < kBands; ++band) {
    bands[band] = mixed(band + 1);
    for (size_t r = 0; r < kRowsOfBand; ++r) {
      bands[band] = mixed(bands[band] ^ signature[band * kRowsOfBand + r]);
    }
  }
  return bands;
}

double shared(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      ++common, ++i, ++j;
    } else {
      a[i] < b[j] ? ++i : ++j;
    }
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

std::vector<Group> groups_of(const Data& data, bool words) {
  std::vector<Group> groups;
  std::unordered_map<std::string, size_t> known;
  for (uint32_t s = 0; s < data.splits.size(); ++s) {
    const std::vector<Sample>& samples = data.splits[s].samples;
    for (uint32_t i = 0; i < samples.size(); ++i) {
      std::string bare = words ? bare_text(samples[i].text) : samples[i].text;
      if (bare.empty()) bare = samples[i].text;  // punctuation alone
      const auto [found, is_new] = known.emplace(bare, groups.size());
      if (is_new) groups.push_back({.bare = std::move(bare)});
      groups[found->second].places.push_back({s, i});
    }
  }
  return groups;
}

// Groups of groups that are nearly the same: the number of the first one of each.
class Joined {
 public:
  explicit Joined(size_t count) : first_(count) { std::iota(first_.begin(), first_.end(), 0); }
  size_t of(size_t i) {
    while (first_[i] != i) i = first_[i] = first_[first_[i]];
    return i;
  }
  void join(size_t a, size_t b) {
    a = of(a), b = of(b);
    first_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> first_;
};

struct Banded {
  uint64_t band;
  uint32_t text;  // number of its group
};

// Joins those of texts with one band that are nearly the same.
void join_near(std::span<const Banded> texts, const std::vector<Group>& groups, Joined& joined) {
  for (size_t i = 1; i < texts.size(); ++i) {
    std::vector<uint32_t> runs;  // made where they are asked for
    for (size_t k = 0; k < std::min(i, kCompared); ++k) {
      if (joined.of(texts[k].text) == joined.of(texts[i].text)) continue;
      if (runs.empty()) runs = runs_of(groups[texts[i].text].bare);
      if (shared(runs, runs_of(groups[texts[k].text].bare)) < kNear) continue;
      joined.join(texts[k].text, texts[i].text);
    }
  }
}

// The texts that are nearly the same, one band after the other: a table of all bands at once would
// be larger than the caches.
Joined joined_texts(const std::vector<Group>& groups) {
  std::vector<uint32_t> texts;
  std::vector<Bands> bands;
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (groups[g].bare.size() < kShortest) continue;
    texts.push_back(g);
    bands.push_back(bands_of(runs_of(groups[g].bare)));
  }
  Joined joined(groups.size());
  std::vector<Banded> sorted(texts.size());
  for (size_t band = 0; band < kBands; ++band) {
    for (size_t i = 0; i < texts.size(); ++i) sorted[i] = {bands[i][band], texts[i]};
    std::sort(sorted.begin(), sorted.end(), [](const Banded& a, const Banded& b) {
      return std::tie(a.band, a.text) < std::tie(b.band, b.text);
    });
    for (auto first = sorted.begin(); first != sorted.end();) {
      const auto last = std::find_if(first, sorted.end(),
                                     [&](const Banded& each) { return each.band != first->band; });
      join_near({first, last}, groups, joined);
      first = last;
    }
  }
  return joined;
}

// The clusters of texts that are nearly the same, as lists of groups; only those of two and more.
std::vector<std::vector<size_t>> near_clusters(const std::vector<Group>& groups) {
  Joined joined = joined_texts(groups);
  std::map<size_t, std::vector<size_t>> found;  // by the first one
  for (size_t g = 0; g < groups.size(); ++g) {
    const size_t first = joined.of(g);
    if (first == g) continue;
    std::vector<size_t>& members = found[first];
    if (members.empty()) members.push_back(first);
    members.push_back(g);
  }
  std::vector<std::vector<size_t>> clusters;
  for (auto& [first, members] : found) clusters.push_back(std::move(members));
  return clusters;
}

const Sample& sample_at(const Data& data, const Place& place) {
  return data.splits[place.split].samples[place.sample];
}

// What was counted of one kind of repetition.
struct Counted {
  int64_t count = 0;
  std::vector<std::pair<Place, Place>> examples = {};
  void add(const Place& a, const Place& b) {
    ++count;
    if (examples.size() < kExamples) examples.emplace_back(a, b);
  }
};

// Of each split and an earlier one, by their numbers.
using Leaks = std::map<std::pair<size_t, size_t>, Counted>;

// Samples of `places` beyond the first of each split; and those whose text an earlier split has,
// which the model is trained on or chosen by.
void count_places(const std::vector<Place>& places, std::vector<Counted>& within, Leaks& leaked) {
  std::vector<const Place*> first(within.size(), nullptr);
  for (const Place& place : places) {
    const Place*& known = first[place.split];
    if (known != nullptr) {
      within[place.split].add(*known, place);
    } else {
      known = &place;
    }
    const auto earlier = std::find_if(first.begin(), first.begin() + place.split,
                                      [](const Place* each) { return each != nullptr; });
    if (earlier == first.begin() + place.split) continue;
    leaked[{place.split, (*earlier)->split}].add(**earlier, place);
  }
}

// The first of several places of nearly one text whose label is another than that of the first.
void count_contradiction(const Data& data, const std::vector<Place>& places, Counted& found) {
  const Sample& first = sample_at(data, places.front());
  for (const Place& place : places) {
    if (sample_at(data, place).labels == first.labels) continue;
    found.add(places.front(), place);
    return;
  }
}

// Says what was counted.
struct RepetitionReport {
  const Data& data;
  const Comparison& compared;
  Report& report;

  std::vector<std::string> examples_of(const Counted& found) const {
    std::vector<std::string> examples;
    for (const auto& [a, b] : found.examples) {
      examples.push_back(text_of(data.splits[a.split].where(sample_at(data, a)), " and ",
                                 data.splits[b.split].where(sample_at(data, b))));
      if (compared.words) examples.back() += ": " + beginning(sample_at(data, b).text);
    }
    return examples;
  }

  void within(const std::vector<Counted>& found, const char* check, const char* what) const {
    report.made(check);
    for (size_t s = 0; s < data.splits.size(); ++s) {
      if (found[s].count == 0) continue;
      const Split& split = data.splits[s];
      report.add({.check = check,
                  .severity = Severity::kWarning,
                  .summary = text_of(
                      split.name, ": ",
                      share_text(found[s].count, std::ssize(split.samples), compared.many), what),
                  .advice = "each counts as often as it stands; keep one unless that is wanted",
                  .examples = examples_of(found[s])});
    }
  }

  void leaks(const Leaks& leaks, const char* what) const {
    for (const auto& [splits, found] : leaks) {
      const Split& split = data.splits[splits.first];
      const auto all = std::ssize(split.samples);
      const double share = static_cast<double>(found.count) / static_cast<double>(all);
      report.add(
          {.check = "leaks between splits",
           .severity = share >= kLeakThatStops ? Severity::kStop : Severity::kWarning,
           .summary = text_of(split.name, ": ", share_text(found.count, all, compared.many), what,
                              data.splits[splits.second].name),
           .advice = text_of("remove them from one side: a model that has seen a ", compared.one,
                             ", or was chosen by it, says nothing about new ones on it"),
           .examples = examples_of(found)});
    }
  }

  void contradictions(const Counted& same, const Counted& near) const {
    if (data.labels.empty()) return;
    const std::string check = text_of("one ", compared.one, " under two labels");
    report.made(check);
    const auto add = [&](const Counted& found, const char* what, Severity severity,
                         const char* advice) {
      if (found.count == 0) return;
      report.add({.check = check,
                  .severity = severity,
                  .summary = text_of(
                      found.count, ' ', found.count == 1 ? compared.one : compared.many,
                      found.count == 1 ? " stands" : " stand", what, " under different labels"),
                  .advice = advice,
                  .examples = examples_of(found)});
    };
    add(same, "", Severity::kWarning, "decide for one label: no model can learn both");
    add(near, ", but for a few words,", Severity::kNote,
        "read them: where the words that differ do not decide, one of the labels is wrong");
  }
};

}  // namespace

void check_duplicates(const Data& data, Report& report, const Comparison& comparison) {
  const RepetitionReport say{data, comparison, report};
  const std::vector<Group> groups = groups_of(data, comparison.words);
  std::vector<Counted> within(data.splits.size()), near(data.splits.size());
  Leaks leaked, near_leaked;
  Counted contradicted, near_contradicted;
  for (const Group& group : groups) {
    count_places(group.places, within, leaked);
    count_contradiction(data, group.places, contradicted);
  }
  say.within(within, "duplicates",
             comparison.words ? " stand before, but for case and punctuation" : " stand before");
  if (comparison.words) {
    for (const std::vector<size_t>& cluster : near_clusters(groups)) {
      // The first place of each text: its copies are told already.
      std::vector<Place> places;
      for (const size_t g : cluster) places.push_back(groups[g].places.front());
      std::stable_sort(places.begin(), places.end(),
                       [](const Place& a, const Place& b) { return a.split < b.split; });
      count_places(places, near, near_leaked);
      count_contradiction(data, places, near_contradicted);
    }
  }
  say.contradictions(contradicted, near_contradicted);
  if (comparison.words) say.within(near, "near duplicates", " are nearly the same as one before");
  report.made("leaks between splits");
  say.leaks(leaked, " also stand in ");
  say.leaks(near_leaked, " stand almost the same in ");
}

}  // namespace heed::doctor
