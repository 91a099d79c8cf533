#include "heed/text/builders/bpe_learner.h"

#include <algorithm>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

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

struct CountedWord {
  std::vector<int32_t> symbols;
  int64_t count;
};

class Learner {
 public:
  explicit Learner(const BpeOptions& options) : options_(options), queue_(Later{this}) {}

  LearntMerges run(const std::vector<WordCounter::Word>& words) {
    for (const std::string& token : options_.special_tokens) id_of(token);
    add_alphabet(words);
    for (const WordCounter::Word& word : words) add_word(word);
    count_pairs();
    while (static_cast<int64_t>(tokens_.size()) < options_.vocabulary_size && merge_best()) {
      report();
    }
    return {std::move(tokens_), std::move(merges_)};
  }

 private:
  struct Statistics {
    int64_t count = 0;
    std::vector<uint32_t> words;  // where it stood when it was counted; may hold one twice
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
    CountedWord counted = {{}, word.count};
    for (size_t at = 0; at < word.text.size();) {
      const size_t begin = at;
      next_code_point(word.text, at);
      std::string token(word.text.substr(begin, at - begin));
      if (begin > 0) token.insert(0, options_.continuing_subword_prefix);
      if (at == word.text.size()) token += options_.end_of_word_suffix;
      counted.symbols.push_back(id_of(token));
    }
    words_.push_back(std::move(counted));
  }

  void count_pairs() {
    for (uint32_t i = 0; i < words_.size(); ++i) {
      const std::vector<int32_t>& symbols = words_[i].symbols;
      for (size_t j = 0; j + 1 < symbols.size(); ++j) {
        change({symbols[j], symbols[j + 1]}, words_[i].count, i);
      }
    }
    queue_changed();
  }

  // Counts a pair of word `word` `by` times more (or, negative, less often).
  void change(Pair pair, int64_t by, uint32_t word) {
    Statistics& statistics = pairs_[pair];
    statistics.count += by;
    if (by > 0) {
      if (statistics.words.empty() || statistics.words.back() != word) {
        statistics.words.push_back(word);
      }
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
      merge(top.pair, std::move(found->second.words));
      return true;
    }
    return false;
  }

  void merge(Pair pair, std::vector<uint32_t> where) {
    pairs_.erase(pair);
    const std::string& prefix = options_.continuing_subword_prefix;
    std::string right = token(pair.right);
    // A token that two merges make may come back, and with it a pair that was merged before.
    if (learnt_.insert(pair).second) merges_.push_back({token(pair.left), right});
    if (!prefix.empty() && right.starts_with(prefix)) right.erase(0, prefix.size());
    const int32_t merged = id_of(token(pair.left) + right);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    for (const uint32_t word : where) merge_in(word, pair, merged);
    pairs_.erase(pair);  // "aaa" takes away from the pair that is being merged
    queue_changed();
  }

  void merge_in(uint32_t index, Pair pair, int32_t merged) {
    CountedWord& word = words_[index];
    std::vector<int32_t>& symbols = word.symbols;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i] != pair.left || symbols[i + 1] != pair.right) continue;
      if (i > 0) {
        change({symbols[i - 1], pair.left}, -word.count, index);
        change({symbols[i - 1], merged}, word.count, index);
      }
      symbols[i] = merged;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (i + 1 < symbols.size()) {
        change({pair.right, symbols[i + 1]}, -word.count, index);
        change({merged, symbols[i + 1]}, word.count, index);
      }
    }
  }

  void report() {
    const auto done = static_cast<int64_t>(tokens_.size());
    const bool last = done == options_.vocabulary_size;
    if (options_.progress && (last || ++reports_ % kProgressSteps == 0)) {
      options_.progress(done, options_.vocabulary_size);
    }
  }

  const BpeOptions& options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<Merge> merges_;
  std::set<Pair> learnt_;
  std::vector<CountedWord> words_;
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
