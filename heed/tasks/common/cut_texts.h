// Texts that are longer than a model reads at once: how many, so that nobody loses their ends
// unawares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace heed::tasks {

// How many of some texts are too long, how long one may be, and what becomes of the others.
struct CutCount {
  std::string what;  // "texts", "targets"
  int64_t cut = 0;
  int64_t all = 0;
  std::string limit;  // "256 tokens (--max-length)"
  std::string outcome = "are cut there";
};

// Counts of several kinds, which add up.
class CutTexts {
 public:
  CutTexts() = default;
  explicit CutTexts(std::vector<CutCount> counts) : counts_(std::move(counts)) {}

  CutTexts& operator+=(const CutTexts& other) {
    for (const CutCount& more : other.counts_) {
      bool known = false;
      for (CutCount& count : counts_) {
        if (count.what != more.what || count.limit != more.limit) continue;
        known = true;
        count.cut += more.cut;
        count.all += more.all;
      }
      if (!known) counts_.push_back(more);
    }
    return *this;
  }

  int64_t cut() const {
    int64_t sum = 0;
    for (const CutCount& count : counts_) sum += count.cut;
    return sum;
  }

  // "3 of 30 texts have more than 20 tokens (--max-length) and are cut there", of those that are
  // cut.
  std::vector<std::string> warnings() const {
    std::vector<std::string> all;
    for (const CutCount& count : counts_) {
      if (count.cut == 0) continue;
      all.push_back(std::to_string(count.cut) + " of " + std::to_string(count.all) + " " +
                    count.what + " have more than " + count.limit + " and " + count.outcome);
    }
    return all;
  }

 private:
  std::vector<CutCount> counts_;
};

}  // namespace heed::tasks
