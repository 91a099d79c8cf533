#include "heed/tasks/generation/pair_tokenizers.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/models/files/encoder_decoder_files.h"
#include "heed/tasks/common/vocabulary_size.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {
namespace {

constexpr std::string_view kSubwords = "bpe:";
constexpr int32_t kSpecialTokens = 4;

std::vector<std::string> special_tokens() {
  return {"[PAD]", "[UNK]", models::kBeginToken, models::kEndToken};
}

std::vector<std::string> normalizers(bool lowercase) {
  return lowercase ? std::vector<std::string>{"NFC", "Lowercase"} : std::vector<std::string>{"NFC"};
}

// What an option says of the texts of one side, or of both.
struct Side {
  const std::string& kind;
  const std::vector<std::string_view>& texts;
  const char* field;
};

text::Tokenizer learnt_bpe(const Side& side, const PairTokenizerOptions& options,
                           const Progress& progress) {
  const int32_t size = vocabulary_size(
      side.kind, {.prefix = kSubwords,
                  .least = kSpecialTokens + 1,
                  .expected = text_of("above ", kSpecialTokens, " (the special tokens)"),
                  .field = side.field});
  // Blanks become part of the words, so that decoding gives them back; a mark of punctuation is a
  // word of its own.
  text::BpeBuilder builder({.vocab_size = size,
                            .special_tokens = special_tokens(),
                            .normalizers = normalizers(options.lowercase),
                            .pre_tokenizers = {"Metaspace", "Punctuation"},
                            .decoder = "Metaspace",
                            .progress = progress});
  for (const std::string_view text : side.texts) builder.add(text);
  return builder.build();
}

text::Tokenizer learnt_characters(const std::vector<std::string_view>& texts,
                                  const PairTokenizerOptions& options) {
  text::WordLevelOptions characters = text::character_options();
  characters.special_tokens = special_tokens();
  characters.normalizers = normalizers(options.lowercase);
  text::WordLevelBuilder builder(characters);
  for (const std::string_view text : texts) builder.add(text);
  return builder.build();
}

std::shared_ptr<const text::Tokenizer> tokenizer_of(const Side& side,
                                                    const PairTokenizerOptions& options,
                                                    const Progress& progress) {
  const std::string& kind = side.kind;
  const auto made = [&]() -> text::Tokenizer {
    if (kind == "characters") return learnt_characters(side.texts, options);
    if (kind.starts_with(kSubwords)) return learnt_bpe(side, options, progress);
    const text::Tokenizer file =
        tokenizer_file(kind, {.learnt = "bpe:N, characters", .field = side.field});
    check_usage(!options.lowercase, "lowercase: a tokenizer.json (", kind,
                ") says itself what becomes of capitals; expected one that is learnt");
    return file.with_max_length(std::nullopt);
  };
  auto tokenizer = std::make_shared<const text::Tokenizer>(made());
  for (const char* token : {models::kBeginToken, models::kEndToken}) {
    if (!tokenizer->id_of(token)) {
      throw DataError(kind, text_of("expected a token \"", token, "\", found none"));
    }
  }
  return tokenizer;
}

}  // namespace

PairTokenizers tokenizers_for(const data::ParallelData& train, const PairTokenizerOptions& options,
                              const Progress& progress) {
  const bool shared = options.target_tokenizer.empty();
  std::vector<std::string_view> sources;
  std::vector<std::string_view> targets;
  for (const data::TextPair& pair : train.pairs) {
    sources.emplace_back(pair.source);
    (shared ? sources : targets).emplace_back(pair.target);
  }
  PairTokenizers made;
  made.source = tokenizer_of({options.tokenizer, sources, "tokenizer"}, options, progress);
  made.target = shared ? made.source
                       : tokenizer_of({options.target_tokenizer, targets, "target_tokenizer"},
                                      options, progress);
  return made;
}

}  // namespace heed::tasks
