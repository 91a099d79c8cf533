#include "heed/text/tokenizer_directory.h"

#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/directory/builders.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

using Named = DirectorySettings::Named;

constexpr const char* kSentencePieceFiles[] = {"tokenizer.model", "spiece.model",
                                               "sentencepiece.bpe.model"};

// Of Marian, where tokenizer_config.json has no model_max_length.
constexpr int32_t kMarianLength = 512;

SpecialIds special_ids(const DirectorySettings& settings, const Tokenizer& tokenizer) {
  const auto id = [&](Named name) -> std::optional<int32_t> {
    const AddedToken* token = settings.named(name);
    return token == nullptr ? std::nullopt : tokenizer.id_of(token->content);
  };
  SpecialIds ids = {.bos = id(Named::kBos),
                    .eos = id(Named::kEos),
                    .unk = id(Named::kUnk),
                    .sep = id(Named::kSep),
                    .pad = id(Named::kPad),
                    .cls = id(Named::kCls),
                    .mask = id(Named::kMask)};
  if (!ids.pad) ids.pad = tokenizer.padding_id();
  if (!ids.unk) ids.unk = tokenizer.unknown_id();
  return ids;
}

Tokenizer::Parts build(DirectorySettings& settings) {
  for (const char* file : kSentencePieceFiles) {
    if (!settings.has(file)) continue;
    const std::filesystem::path path = settings.use(file);
    return build_sentencepiece(settings, read_sentencepiece(path), path.string());
  }
  if (settings.has("vocab.json") && settings.has("merges.txt")) return build_byte_level(settings);
  if (settings.has("vocab.txt")) return build_word_piece(settings);
  throw MissingInputError(
      text_of(settings.directory().string(),
              ": expected the files of a tokenizer: tokenizer.json, or tokenizer.model, "
              "spiece.model, sentencepiece.bpe.model, vocab.json with merges.txt, source.spm with "
              "target.spm and vocab.json, or vocab.txt"));
}

// The limit of the directory, otherwise the one that the tokenizer has by itself.
Tokenizer limited(const DirectorySettings& settings, const Tokenizer& tokenizer) {
  const std::optional<std::string> side = settings.side("truncation_side");
  const std::optional<int32_t> own = tokenizer.max_length();
  const std::optional<int32_t> longest = settings.max_length();
  if (!side) return tokenizer.with_max_length(longest ? longest : own);
  return tokenizer.with_max_length(
      longest ? longest : own, *side == "left" ? TruncationSide::kLeft : TruncationSide::kRight);
}

}  // namespace

LoadedTokenizer load_tokenizer(const std::filesystem::path& directory) {
  DirectorySettings settings(directory);
  const auto load = [&]() -> std::pair<Tokenizer, std::optional<Tokenizer>> {
    if (settings.has("tokenizer.json")) {
      settings.set_defaults_of(settings.tokenizer_class());
      return {Tokenizer::load(settings.use("tokenizer.json")), std::nullopt};
    }
    if (settings.has("source.spm") && settings.has("target.spm")) {
      MarianParts parts = build_marian(settings);
      return {Tokenizer(std::move(parts.source)).with_max_length(kMarianLength),
              Tokenizer(std::move(parts.target)).with_max_length(kMarianLength)};
    }
    return {Tokenizer(build(settings)), std::nullopt};
  };
  auto [tokenizer, target] = load();
  LoadedTokenizer loaded = {.tokenizer = limited(settings, tokenizer)};
  if (target) loaded.target = limited(settings, *target);
  loaded.special = special_ids(settings, loaded.tokenizer);
  loaded.max_length = loaded.tokenizer.max_length();
  const bool left = settings.side("padding_side") == "left";
  loaded.padding_side = left ? LoadedTokenizer::Side::kLeft : LoadedTokenizer::Side::kRight;
  loaded.files = settings.used();
  return loaded;
}

}  // namespace heed::text
