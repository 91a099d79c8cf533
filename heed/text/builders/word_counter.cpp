#include "heed/text/builders/word_counter.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

JsonValue settings_of(const std::string& json, const char* what) {
  return parse_json(json, what, {.max_bytes = 1 << 20});
}

// "Lowercase" or {"type": "Strip", "strip_left": false}.
NormalizerPointer counting_normalizer(const std::string& setting) {
  if (!setting.starts_with('{')) return normalizer_named(setting);
  return read_normalizer(settings_of(setting, "normaliser"));
}

PreTokenizerPointer counting_pre_tokenizer(const std::string& setting) {
  if (!setting.starts_with('{')) return pre_tokenizer_named(setting);
  return read_pre_tokenizer(settings_of(setting, "pre-tokenizer"));
}

}  // namespace

WordCounter::WordCounter(const Preparation& preparation) {
  std::vector<AddedToken> added;
  for (const std::string& token : preparation.special_tokens) {
    const auto same = [&](const AddedToken& other) { return other.content == token; };
    check_usage(!token.empty() && is_utf8(token) && std::none_of(added.begin(), added.end(), same),
                "special_tokens: expected UTF-8 texts that are not empty, each once, got ",
                excerpt(token));
    AddedToken entry;
    entry.content = token;
    entry.id = static_cast<int32_t>(added.size());
    added.push_back(std::move(entry));
  }
  std::vector<NormalizerPointer> normalizers;
  for (const std::string& setting : preparation.normalizers) {
    normalizers.push_back(counting_normalizer(setting));
  }
  std::vector<PreTokenizerPointer> pre_tokenizers;
  for (const std::string& setting : preparation.pre_tokenizers) {
    pre_tokenizers.push_back(counting_pre_tokenizer(setting));
  }
  parts_.normalizer = normalizer_sequence(std::move(normalizers));
  parts_.pre_tokenizer = pre_tokenizer_sequence(std::move(pre_tokenizers));
  parts_.added = AddedVocabulary(std::move(added), parts_.normalizer.get());
}

void WordCounter::add(std::string_view text) {
  const size_t valid = valid_utf8_prefix(text);
  if (valid != text.size()) {
    throw DataError(
        text_of("a text that is not UTF-8 at byte ", valid, ": ", excerpt(text.substr(valid, 16))));
  }
  if (text.empty()) return;
  SplitText split = {
      AlignedText(text, {0, static_cast<uint32_t>(text.size())}, AlignedText::Tracking::kOff), {}};
  if (parts_.normalizer) parts_.normalizer->apply(split.text);
  if (split.text.size() == 0) return;
  split.pieces.push_back({{0, split.text.size()}});
  if (parts_.pre_tokenizer) parts_.pre_tokenizer->apply(split);
  for (const Piece& piece : split.pieces) {
    const std::string_view word = split.text.text().substr(piece.range.begin, piece.range.size());
    const auto found = counts_.find(word);
    if (found != counts_.end()) {
      ++found->second;
    } else {
      counts_.emplace(word, 1);
    }
  }
}

std::vector<WordCounter::Word> WordCounter::words() const {
  std::vector<Word> words;
  words.reserve(counts_.size());
  for (const auto& [word, count] : counts_) words.push_back({word, count});
  std::sort(words.begin(), words.end(),
            [](const Word& a, const Word& b) { return a.text < b.text; });
  return words;
}

Tokenizer::Parts WordCounter::parts() const { return parts_; }

void check_builder_options(const std::vector<std::string>& special_tokens,
                           const std::optional<std::string>& unknown_token,
                           VocabularyLimits limits) {
  check_usage(!unknown_token || std::find(special_tokens.begin(), special_tokens.end(),
                                          *unknown_token) != special_tokens.end(),
              "special_tokens: expected the unknown token ", excerpt(unknown_token.value_or("")),
              " among them");
  check_usage(
      limits.vocab_size >= 0 && static_cast<size_t>(limits.vocab_size) > special_tokens.size(),
      "vocab_size: expected more than the ", special_tokens.size(), " special tokens, found ",
      limits.vocab_size);
  check_usage(limits.min_frequency >= 1, "min_frequency: expected at least 1, found ",
              limits.min_frequency);
}

}  // namespace heed::text
