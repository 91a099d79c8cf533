// BLEU (Papineni et al. 2002), the same number as sacrebleu (Post 2018).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed::metrics {

// How texts become words, under sacrebleu's names.
enum class BleuTokens : uint8_t {
  k13a,   // "13a": that of WMT's script mteval-v13a, the usual one
  kNone,  // "none": at white space; for texts that are tokenized already
  kChar,  // "char": every character that is no white space
  kIntl,  // "intl": at punctuation and symbols of any script, as mteval-v14
};

// Throws UsageError for another name.
BleuTokens bleu_tokens_named(std::string_view name);
std::vector<std::string> bleu_tokens_names();

// The words of a line with blanks between them.
std::string bleu_tokenize(std::string_view line, BleuTokens tokens);

enum class LetterCase : uint8_t { kKept, kLower };

// What becomes of an order without a match: half, a quarter, ... of one match (Chen and Cherry
// 2014, method 3), or nothing.
enum class BleuSmoothing : uint8_t { kExponential, kNone };

// Throws UsageError for another name than exp and none.
BleuSmoothing bleu_smoothing_named(std::string_view name);
std::vector<std::string> bleu_smoothing_names();

struct BleuOptions {
  BleuTokens tokens = BleuTokens::k13a;
  LetterCase letters = LetterCase::kKept;
  BleuSmoothing smoothing = BleuSmoothing::kExponential;
  // Which orders count: all four, or only those that the text is long enough for. The latter is
  // for single sentences.
  enum class Orders : uint8_t { kAll, kEffective } orders = Orders::kAll;
};

struct BleuScore {
  double score = 0;                    // 0 to 100
  std::array<double, 4> precisions{};  // percent, smoothed
  double brevity_penalty = 1;
  int64_t words = 0;            // of the texts
  int64_t reference_words = 0;  // of the references closest in length
};

// Gathers counts text by text; the score is that of all of them together.
class Bleu {
 public:
  explicit Bleu(const BleuOptions& options = {}) : options_(options) {}

  // A text and its references (UTF-8). UsageError without a reference.
  void add(std::string_view hypothesis, std::span<const std::string> references);
  void add(std::string_view hypothesis, const std::string& reference) {
    add(hypothesis, std::span(&reference, 1));
  }

  BleuScore score() const;

 private:
  BleuOptions options_;
  std::array<int64_t, 4> correct_{};
  std::array<int64_t, 4> total_{};
  int64_t words_ = 0;
  int64_t reference_words_ = 0;
};

}  // namespace heed::metrics
