#include "heed/text/builders/bpe_learner.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

constexpr int64_t kProgressSteps = 100;  // merges between two reports

struct Pair {
  int32_t left;
  int32_t right;

  friend bool operator==(const Pair&, const Pair&) = default;
  friend bool operator<(const Pair& a, const Pair& b) {
    return std::tie(a.left, a.right) < std::tie(b.left, b.right);
  }
};

struct PairHash {
  size_t operator()(const Pair& pair) const {
    const uint64_t both =
        uint64_t{static_cast<uint32_t>(pair.left)} << 32 | static_cast<uint32_t>(pair.right);
    return static_cast<size_t>((both * 0x9E3779B97F4A7C15u) >> 16);
  }
};

// A symbol of a word. Two that are merged stand where the first of them stood, and the second is
// left out of the chain; so whatever a merge does to a word, however long, it does where the pair
// stands.
struct Symbol {
  int32_t id;
  uint32_t previous, next;  // in the same word; kNone at its ends
  uint32_t word;
};
constexpr int32_t kGone = -1;  // the id of one that is left out
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

class Learner {
 public:
  explicit Learner(const BpeOptions& options) : options_(options), queue_(Later{this}) {}

  LearntMerges run(const std::vector<WordCounter::Word>& words) {
    for (const std::string& token : options_.special_tokens) id_of(token);
    add_alphabet(words);
    for (const WordCounter::Word& word : words) add_word(word);
    count_pairs();
    while (static_cast<int64_t>(tokens_.size()) < options_.vocab_size && merge_best()) {
      report();
    }
    return {std::move(tokens_), std::move(merges_)};
  }

 private:
  struct Statistics {
    int64_t count = 0;
    std::vector<uint32_t> places;  // of its left symbols when it was counted; may hold one twice
  };

  struct Candidate {
    Pair pair;
    int64_t count;  // when it was queued
  };

  // Whether `a` is merged after `b`.
  struct Later {
    const Learner* learner;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      if (learner->options_.ties == BpeOptions::Ties::kOlder) return b.pair < a.pair;
      return learner->spelling(a.pair) < learner->spelling(b.pair);
    }
  };

  const std::string& token(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }

  std::tuple<const std::string&, const std::string&> spelling(const Pair& pair) const {
    return {token(pair.left), token(pair.right)};
  }

  // The id of a token, a new one if need be.
  int32_t id_of(const std::string& token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return place->second;
  }

  void add_alphabet(const std::vector<WordCounter::Word>& words) {
    std::set<char32_t> characters;
    for (const WordCounter::Word& word : words) {
      for (size_t at = 0; at < word.text.size();) {
        characters.insert(next_code_point(word.text, at));
      }
    }
    if (options_.alphabet == BpeOptions::Alphabet::kBytes) {
      for (int byte = 0; byte < 256; ++byte) {
        characters.insert(character_of_byte(static_cast<uint8_t>(byte)));
      }
    }
    for (const char32_t c : characters) {
      std::string token;
      append_utf8(c, token);
      id_of(token);
    }
  }

  void add_word(const WordCounter::Word& word) {
    const size_t first = symbols_.size();
    for (size_t at = 0; at < word.text.size();) {
      const size_t begin = at;
      next_code_point(word.text, at);
      std::string token(word.text.substr(begin, at - begin));
      if (begin > 0) token.insert(0, options_.continuing_subword_prefix);
      if (at == word.text.size()) token += options_.end_of_word_suffix;
      const size_t place = symbols_.size();
      if (place >= kNone) throw DataError(text_of("texts of more than ", kNone, " characters"));
      symbols_.push_back({.id = id_of(token),
                          .previous = place == first ? kNone : static_cast<uint32_t>(place - 1),
                          .next = static_cast<uint32_t>(place + 1),
                          .word = static_cast<uint32_t>(counts_.size())});
    }
    if (symbols_.size() > first) symbols_.back().next = kNone;
    counts_.push_back(word.count);
  }

  void count_pairs() {
    for (uint32_t place = 0; place < symbols_.size(); ++place) {
      if (symbols_[place].next != kNone) change(place, 1);
    }
    queue_changed();
  }

  // Counts the pair at `place` once more for each time its word occurs, or (`sign` −1) less often.
  void change(uint32_t place, int sign) {
    const Symbol& left = symbols_[place];
    const Pair pair = {left.id, symbols_[left.next].id};
    Statistics& statistics = pairs_[pair];
    statistics.count += sign * counts_[left.word];
    if (sign > 0) {
      statistics.places.push_back(place);
      changed_.push_back(pair);
    }
  }

  void queue_changed() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const Pair& pair : changed_) {
      const int64_t count = pairs_[pair].count;
      if (count > 0) queue_.push({pair, count});
    }
    changed_.clear();
  }

  // Merges the most frequent pair; false if none is frequent enough.
  bool merge_best() {
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      const auto found = pairs_.find(top.pair);
      const int64_t count = found == pairs_.end() ? 0 : found->second.count;
      if (count != top.count) {
        // It was queued again when it grew; what has shrunk since is queued anew.
        if (count > 0 && count < top.count) queue_.push({top.pair, count});
        continue;
      }
      if (count < std::max<int64_t>(options_.min_frequency, 1)) return false;
      std::string spelling = merged_spelling(top.pair);
      if (is_special(top.pair, spelling)) {
        pairs_.erase(found);
        continue;
      }
      merge(top.pair, std::move(spelling), std::move(found->second.places));
      return true;
    }
    return false;
  }

  std::string merged_spelling(Pair pair) const {
    const std::string& prefix = options_.continuing_subword_prefix;
    std::string_view right = token(pair.right);
    if (!prefix.empty() && right.starts_with(prefix)) right.remove_prefix(prefix.size());
    return token(pair.left) + std::string(right);
  }

  // No text spells a special token, so none is learnt from one.
  bool is_special(Pair pair, const std::string& merged) const {
    const auto count = static_cast<int32_t>(options_.special_tokens.size());
    const auto found = ids_.find(merged);
    return pair.left < count || pair.right < count ||
           (found != ids_.end() && found->second < count);
  }

  void merge(Pair pair, const std::string& spelling, std::vector<uint32_t> places) {
    pairs_.erase(pair);
    // A token that two merges make may come back, and with it a pair that was merged before.
    if (learnt_.insert(pair).second) merges_.push_back({token(pair.left), token(pair.right)});
    const int32_t merged = id_of(spelling);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const uint32_t place : places) merge_at(place, pair, merged);
    pairs_.erase(pair);  // "aaa" takes away from the pair that is being merged
    queue_changed();
  }

  void merge_at(uint32_t place, Pair pair, int32_t merged) {
    Symbol& left = symbols_[place];
    if (left.id != pair.left || left.next == kNone || symbols_[left.next].id != pair.right) return;
    Symbol& right = symbols_[left.next];
    if (left.previous != kNone) change(left.previous, -1);
    if (right.next != kNone) change(left.next, -1);
    left.id = merged;
    left.next = right.next;
    right.id = kGone;
    if (left.next != kNone) symbols_[left.next].previous = place;
    if (left.previous != kNone) change(left.previous, 1);
    if (left.next != kNone) change(place, 1);
  }

  void report() {
    const auto done = static_cast<int64_t>(tokens_.size());
    const bool last = done == options_.vocab_size;
    if (options_.progress && (last || ++reports_ % kProgressSteps == 0)) {
      options_.progress(done, options_.vocab_size);
    }
  }

  const BpeOptions& options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<Merge> merges_;
  std::set<Pair> learnt_;
  std::vector<Symbol> symbols_;  // of all words, one after the other
  std::vector<int64_t> counts_;  // of each word
  std::unordered_map<Pair, Statistics, PairHash> pairs_;
  std::vector<Pair> changed_;
  std::priority_queue<Candidate, std::vector<Candidate>, Later> queue_;
  int64_t reports_ = 0;
};

}  // namespace

LearntMerges learn_merges(const std::vector<WordCounter::Word>& words, const BpeOptions& options) {
  return Learner(options).run(words);
}

}  // namespace heed::text
