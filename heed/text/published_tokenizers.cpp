#include "heed/text/published_tokenizers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/directory/builders.h"
#include "heed/text/directory/vocabulary_files.h"
#include "heed/text/models/word_piece.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

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

}  // namespace

Tokenizer load_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges) {
  Tokenizer::Parts parts;
  parts.model = read_bpe(vocabulary, merges);
  parts.added =
      AddedVocabulary(special_tokens(parts.model->vocabulary(), {"<|endoftext|>"}), nullptr);
  parts.pre_tokenizer = pre_tokenizer_of({{"type", "ByteLevel"}, {"add_prefix_space", false}});
  parts.decoder = decoder_named("ByteLevel");
  return Tokenizer(std::move(parts));
}

Tokenizer load_bert(const std::filesystem::path& vocabulary, BertCase letter_case) {
  Vocabulary tokens = read_vocabulary_lines(vocabulary);
  for (const char* needed : {"[UNK]", "[CLS]", "[SEP]"}) {
    if (tokens.id_of(needed) == kNoId) {
      throw DataError(vocabulary.string(), text_of("expected a line ", needed));
    }
  }
  const TemplatePart cls = {.token = "[CLS]", .id = tokens.id_of("[CLS]")};
  const TemplatePart sep = {.token = "[SEP]", .id = tokens.id_of("[SEP]")};
  Tokenizer::Parts parts;
  parts.normalizer =
      normalizer_of({{"type", "BertNormalizer"}, {"lowercase", letter_case == BertCase::kUncased}});
  parts.added =
      AddedVocabulary(special_tokens(tokens, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}),
                      parts.normalizer.get());
  parts.pre_tokenizer = pre_tokenizer_named("BertPreTokenizer");
  parts.model = std::make_shared<WordPiece>(std::move(tokens));
  parts.post_processor = bert_processor(cls, sep);
  parts.decoder = decoder_named("WordPiece");
  return Tokenizer(std::move(parts));
}

}  // namespace heed::text
