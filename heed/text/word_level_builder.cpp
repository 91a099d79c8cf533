#include "heed/text/word_level_builder.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/models/word_level.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

struct StringHash : std::hash<std::string_view> {
  using is_transparent = void;
};
using WordCounts = std::unordered_map<std::string, int64_t, StringHash, std::equal_to<>>;

}  // namespace

struct WordLevelBuilder::State {
  WordLevelOptions options;
  NormalizerPointer normalizer;
  PreTokenizerPointer pre_tokenizer;
  AddedVocabulary specials = {{}, nullptr};  // with their final ids
  WordCounts counts;
};

WordLevelBuilder::WordLevelBuilder(WordLevelOptions options) : state_(std::make_unique<State>()) {
  const std::vector<std::string>& specials = options.special_tokens;
  const auto count = [&](const std::string& token) {
    return std::count(specials.begin(), specials.end(), token);
  };
  check_usage(count(options.unknown_token) > 0, "unknown_token ", excerpt(options.unknown_token),
              ": expected one of the special tokens");
  for (const std::string& token : specials) {
    check_usage(!token.empty() && is_utf8(token) && count(token) == 1, "special token ",
                excerpt(token), ": expected UTF-8 text that is not empty, each once");
  }
  check_usage(options.vocabulary_size >= 0 &&
                  static_cast<size_t>(options.vocabulary_size) > specials.size(),
              "vocabulary_size: expected more than the ", specials.size(),
              " special tokens, found ", options.vocabulary_size);
  check_usage(options.min_frequency >= 1, "min_frequency: expected at least 1, found ",
              options.min_frequency);

  std::vector<NormalizerPointer> normalizers;
  for (const std::string& name : options.normalizers) {
    normalizers.push_back(normalizer_named(name));
  }
  std::vector<PreTokenizerPointer> pre_tokenizers;
  for (const std::string& name : options.pre_tokenizers) {
    pre_tokenizers.push_back(pre_tokenizer_named(name));
  }
  std::vector<AddedToken> added;
  for (const std::string& token : specials) {
    AddedToken entry;
    entry.content = token;
    entry.id = static_cast<int32_t>(added.size());
    added.push_back(std::move(entry));
  }
  state_->normalizer = normalizer_sequence(std::move(normalizers));
  state_->pre_tokenizer = pre_tokenizer_sequence(std::move(pre_tokenizers));
  state_->specials = AddedVocabulary(std::move(added), state_->normalizer.get());
  state_->options = std::move(options);
}

WordLevelBuilder::~WordLevelBuilder() = default;

void WordLevelBuilder::add(std::string_view text) {
  const size_t valid = valid_utf8_prefix(text);
  if (valid != text.size()) {
    throw DataError(
        text_of("a text that is not UTF-8 at byte ", valid, ": ", excerpt(text.substr(valid, 16))));
  }
  std::vector<Piece> segments;
  state_->specials.split(text, {0, static_cast<uint32_t>(text.size())},
                         AddedVocabulary::In::kOriginal, segments);
  for (const Piece& segment : segments) {
    if (segment.id != kNoId) continue;
    SplitText split = {AlignedText(text, segment.range, AlignedText::Tracking::kOff), {}};
    if (state_->normalizer) state_->normalizer->apply(split.text);
    if (split.text.size() == 0) continue;
    split.pieces.push_back({{0, split.text.size()}});
    if (state_->pre_tokenizer) state_->pre_tokenizer->apply(split);
    for (const Piece& piece : split.pieces) {
      const std::string_view word = split.text.text().substr(piece.range.begin, piece.range.size());
      const auto found = state_->counts.find(word);
      if (found != state_->counts.end()) {
        ++found->second;
      } else {
        state_->counts.emplace(word, 1);
      }
    }
  }
}

Tokenizer WordLevelBuilder::build() const {
  const WordLevelOptions& options = state_->options;
  std::vector<std::string> tokens = options.special_tokens;
  std::vector<std::pair<std::string_view, int64_t>> words;
  for (const auto& [word, count] : state_->counts) {
    const bool special = std::find(tokens.begin(), tokens.end(), word) != tokens.end();
    if (count >= options.min_frequency && !special) words.emplace_back(word, count);
  }
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  for (const auto& [word, count] : words) {
    if (tokens.size() == static_cast<size_t>(options.vocabulary_size)) break;
    tokens.emplace_back(word);
  }
  Tokenizer::Parts parts;
  parts.normalizer = state_->normalizer;
  parts.pre_tokenizer = state_->pre_tokenizer;
  parts.model = std::make_shared<WordLevel>(Vocabulary(std::move(tokens)), options.unknown_token);
  parts.added = state_->specials;
  return Tokenizer(std::move(parts));
}

Tokenizer build_word_level(std::span<const std::string> texts, WordLevelOptions options) {
  WordLevelBuilder builder(std::move(options));
  for (const std::string& text : texts) builder.add(text);
  return builder.build();
}

}  // namespace heed::text
