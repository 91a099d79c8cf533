#include "heed/text/published.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/text/models/bpe.h"
#include "heed/text/models/word_piece.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;

std::vector<Merge> read_merges(const std::filesystem::path& file) {
  std::vector<Merge> merges;
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("#version") || line.empty()) continue;
    const size_t blank = line.find(' ');
    if (!is_utf8(line) || blank == 0 || blank + 1 >= line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos) {
      throw DataError(lines.where(),
                      "expected two tokens with a blank between them, found " + excerpt(line));
    }
    merges.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  }
  return merges;
}

Vocabulary read_vocabulary_lines(const std::filesystem::path& file) {
  std::vector<std::string> tokens;
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) {
    if (!is_utf8(line)) throw DataError(lines.where(), "expected UTF-8, found " + excerpt(line));
    tokens.emplace_back(line.substr(0, line.find_last_not_of(" \t") + 1));
  }
  try {
    return Vocabulary(std::move(tokens));
  } catch (const UsageError& error) {
    throw DataError(file.string(), error.what());
  }
}

// The special tokens that the vocabulary has, as added tokens in the order of their ids.
std::vector<AddedToken> special_tokens(const Vocabulary& vocabulary,
                                       const std::vector<std::string>& names) {
  std::vector<AddedToken> tokens;
  for (const std::string& name : names) {
    if (vocabulary.id_of(name) == kNoId) continue;
    AddedToken token;
    token.content = name;
    token.id = vocabulary.id_of(name);
    tokens.push_back(std::move(token));
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return tokens;
}

template <typename Part, typename Read>
Part from_json(const char* json, Read read) {
  return read(parse_json(json, "built in", {.max_bytes = kMaxFileBytes}));
}

}  // namespace

Tokenizer load_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges) {
  Vocabulary tokens = Vocabulary::read(read_json(vocabulary, {.max_bytes = kMaxFileBytes}));
  Tokenizer::Parts parts;
  parts.added = AddedVocabulary(special_tokens(tokens, {"<|endoftext|>"}), nullptr);
  try {
    parts.model = std::make_shared<Bpe>(std::move(tokens), read_merges(merges));
  } catch (const UsageError& error) {
    throw DataError(merges.string(), error.what());
  }
  parts.pre_tokenizer = from_json<PreTokenizerPointer>(
      R"({"type": "ByteLevel", "add_prefix_space": false})", read_pre_tokenizer);
  parts.decoder = decoder_named("ByteLevel");
  return Tokenizer(std::move(parts));
}

Tokenizer load_bert(const std::filesystem::path& vocabulary, LetterCase letter_case) {
  Vocabulary tokens = read_vocabulary_lines(vocabulary);
  for (const char* needed : {"[UNK]", "[CLS]", "[SEP]"}) {
    if (tokens.id_of(needed) == kNoId) {
      throw DataError(vocabulary.string(), text_of("expected a line ", needed));
    }
  }
  const NamedId cls = {"[CLS]", tokens.id_of("[CLS]")};
  const NamedId sep = {"[SEP]", tokens.id_of("[SEP]")};
  Tokenizer::Parts parts;
  parts.normalizer = from_json<NormalizerPointer>(
      letter_case == LetterCase::kUncased ? R"({"type": "BertNormalizer"})"
                                          : R"({"type": "BertNormalizer", "lowercase": false})",
      read_normalizer);
  parts.added =
      AddedVocabulary(special_tokens(tokens, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}),
                      parts.normalizer.get());
  parts.pre_tokenizer = pre_tokenizer_named("BertPreTokenizer");
  parts.model = std::make_shared<WordPiece>(std::move(tokens));
  parts.post_processor = surround(cls, sep);
  parts.decoder = decoder_named("WordPiece");
  return Tokenizer(std::move(parts));
}

}  // namespace heed::text
