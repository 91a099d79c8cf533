#include "heed/text/directory/builders.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/directory/vocabulary_files.h"
#include "heed/text/models/word_piece.h"

namespace heed::text {
namespace {

using Named = DirectorySettings::Named;

// The expression of Qwen 2, whose words have no digits beside them.
constexpr const char* kQwenWords =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

JsonValue built_in(Json json) { return JsonValue(std::move(json), "built in"); }

PostProcessor roberta_processor(const DirectorySettings& settings,
                                std::span<const AddedToken> tokens) {
  const TemplatePart cls = special_part(settings, Named::kCls, tokens);
  const TemplatePart sep = special_part(settings, Named::kSep, tokens);
  return read_post_processor(
      built_in({{"type", "RobertaProcessing"},
                {"cls", {cls.token, cls.id}},
                {"sep", {sep.token, sep.id}},
                {"trim_offsets", settings.flag("trim_offsets", true)},
                {"add_prefix_space", settings.flag("add_prefix_space", false)}}));
}

// Around what Whisper writes in English, without time stamps.
PostProcessor whisper_processor(std::span<const AddedToken> tokens) {
  std::vector<TemplatePart> before;
  std::vector<TemplatePart> after;
  for (const AddedToken& token : tokens) {
    const TemplatePart part = {.token = token.content, .id = token.id};
    if (token.content == "<|startoftranscript|>") before.insert(before.begin(), part);
    if (token.content == "<|notimestamps|>") before.push_back(part);
    if (token.content == "<|endoftext|>") after = {part};
  }
  std::vector<TemplatePart> single = before;
  single.push_back({.token = "A"});
  std::vector<TemplatePart> pair = single;
  pair.push_back({.token = "B", .type_id = 1});
  for (TemplatePart part : after) {
    single.push_back(part);
    part.type_id = 1;
    pair.push_back(part);
  }
  return template_processor(single, pair);
}

enum class ByteLevelClass : uint8_t { kGpt2, kGptNeoX, kQwen2, kRoberta, kWhisper };

ByteLevelClass byte_level_class(const DirectorySettings& settings) {
  if (settings.tokenizer_class().empty()) return ByteLevelClass::kGpt2;
  return JsonValue(settings.tokenizer_class(),
                   text_of(settings.directory().string(),
                           ": tokenizer_class beside vocab.json and merges.txt (with a "
                           "tokenizer.json any class is read)"))
      .one_of<ByteLevelClass>({{"GPT2Tokenizer", ByteLevelClass::kGpt2},
                               {"GPTNeoXTokenizer", ByteLevelClass::kGptNeoX},
                               {"Qwen2Tokenizer", ByteLevelClass::kQwen2},
                               {"RobertaTokenizer", ByteLevelClass::kRoberta},
                               {"BartTokenizer", ByteLevelClass::kRoberta},
                               {"LongformerTokenizer", ByteLevelClass::kRoberta},
                               {"WhisperTokenizer", ByteLevelClass::kWhisper}});
}

}  // namespace

NormalizerPointer normalizer_of(Json json) { return read_normalizer(built_in(std::move(json))); }
PreTokenizerPointer pre_tokenizer_of(Json json) {
  return read_pre_tokenizer(built_in(std::move(json)));
}
DecoderPointer decoder_of(Json json) { return read_decoder(built_in(std::move(json))); }

PostProcessor bert_processor(const TemplatePart& cls, const TemplatePart& sep) {
  TemplatePart last = sep;
  last.type_id = 1;
  return template_processor({cls, {.token = "A"}, sep},
                            {cls, {.token = "A"}, sep, {.token = "B", .type_id = 1}, last});
}

void add_tokens(const DirectorySettings& settings, Tokenizer::Parts& parts) {
  std::vector<AddedToken> tokens = settings.added_tokens(parts.model->vocabulary());
  check_added_tokens(tokens, *parts.model);
  parts.added = AddedVocabulary(std::move(tokens), parts.normalizer.get());
}

Tokenizer::Parts build_word_piece(DirectorySettings& settings) {
  settings.set_defaults_of("BertTokenizer");
  Json normalizer = {{"type", "BertNormalizer"},
                     {"handle_chinese_chars", settings.flag("tokenize_chinese_chars", true)},
                     {"lowercase", settings.flag("do_lower_case", true)}};
  if (const auto strip = settings.flag("strip_accents")) normalizer["strip_accents"] = *strip;
  Tokenizer::Parts parts;
  parts.normalizer = normalizer_of(std::move(normalizer));
  parts.pre_tokenizer = pre_tokenizer_named("BertPreTokenizer");
  const std::filesystem::path file = settings.use("vocab.txt");
  try {
    parts.model = std::make_shared<WordPiece>(
        read_vocabulary_lines(file),
        WordPieceSettings{.unknown_token = settings.content(Named::kUnk)});
  } catch (const UsageError& error) {
    throw DataError(file.string(), error.what());
  }
  add_tokens(settings, parts);
  parts.post_processor = bert_processor(special_part(settings, Named::kCls, parts.added.tokens()),
                                        special_part(settings, Named::kSep, parts.added.tokens()));
  parts.decoder = decoder_named("WordPiece");
  return parts;
}

Tokenizer::Parts build_byte_level(DirectorySettings& settings) {
  const ByteLevelClass kind = byte_level_class(settings);
  settings.set_defaults_of(settings.tokenizer_class().empty() ? "GPT2Tokenizer"
                                                              : settings.tokenizer_class());
  Tokenizer::Parts parts;
  const bool qwen = kind == ByteLevelClass::kQwen2;
  if (qwen || kind == ByteLevelClass::kGptNeoX) parts.normalizer = normalizer_named("NFC");
  Json pre_tokenizer = {{"type", "ByteLevel"},
                        {"add_prefix_space", settings.flag("add_prefix_space", false)},
                        {"use_regex", !qwen}};
  if (qwen) {
    const Json words = {{"type", "Split"},
                        {"pattern", {{"Regex", kQwenWords}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
    pre_tokenizer = {{"type", "Sequence"}, {"pretokenizers", Json::array({words, pre_tokenizer})}};
  }
  parts.pre_tokenizer = pre_tokenizer_of(std::move(pre_tokenizer));
  const std::filesystem::path vocabulary = settings.use("vocab.json");
  parts.model = read_bpe(vocabulary, settings.use("merges.txt"));
  add_tokens(settings, parts);
  if (kind == ByteLevelClass::kRoberta) {
    parts.post_processor = roberta_processor(settings, parts.added.tokens());
  } else if (kind == ByteLevelClass::kWhisper) {
    parts.post_processor = whisper_processor(parts.added.tokens());
  } else {
    parts.post_processor = ends_processor(settings, parts.added.tokens());
  }
  parts.decoder = decoder_named("ByteLevel");
  return parts;
}

}  // namespace heed::text
