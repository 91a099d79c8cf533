#include "heed/text/builders/word_level_builder.h"

#include <algorithm>
#include <utility>

#include "heed/text/builders/word_counter.h"
#include "heed/text/models/word_level.h"

namespace heed::text {

struct WordLevelBuilder::State : BuilderState<WordLevelOptions> {
  using BuilderState::BuilderState;
};

WordLevelBuilder::WordLevelBuilder(const WordLevelOptions& options) : state_(new State(options)) {}

WordLevelBuilder::~WordLevelBuilder() = default;

void WordLevelBuilder::add(std::string_view text) { state_->counter.add(text); }

Tokenizer WordLevelBuilder::build() const {
  const WordLevelOptions& options = state_->options;
  std::vector<std::string> tokens = options.special_tokens;
  std::vector<WordCounter::Word> words = state_->counter.words();
  std::erase_if(words, [&](const WordCounter::Word& word) {
    return word.count < options.min_frequency ||
           std::find(tokens.begin(), tokens.end(), word.text) != tokens.end();
  });
  // They come in the order of their bytes, which is what equally frequent ones keep.
  std::stable_sort(words.begin(), words.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  for (const WordCounter::Word& word : words) {
    if (tokens.size() == static_cast<size_t>(options.vocab_size)) break;
    tokens.emplace_back(word.text);
  }
  return state_->finish(
      std::make_shared<WordLevel>(Vocabulary(std::move(tokens)), options.unknown_token));
}

Tokenizer build_word_level(std::span<const std::string> texts, const WordLevelOptions& options) {
  WordLevelBuilder builder(options);
  for (const std::string& text : texts) builder.add(text);
  return builder.build();
}

WordLevelOptions character_options() {
  WordLevelOptions options;
  options.normalizers = {};
  options.pre_tokenizers = {R"({"type": "FixedLength", "length": 1})"};
  options.decoder = "Fuse";
  return options;
}

}  // namespace heed::text
