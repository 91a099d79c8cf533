// Marian: a SentencePiece model for each side of a translation, and the ids of vocab.json.
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/directory/builders.h"
#include "heed/text/directory/vocabulary_files.h"
#include "heed/text/models/sentence_piece.h"
#include "heed/text/steps/subword_normalizers.h"

namespace heed::text {
namespace {

using Named = DirectorySettings::Named;
using PieceType = SentencePieceModel::PieceType;

SentencePiece::Piece::Kind kind_of(PieceType type) {
  using Kind = SentencePiece::Piece::Kind;
  if (type == PieceType::kNormal) return Kind::kNormal;
  return type == PieceType::kUserDefined ? Kind::kUserDefined : Kind::kHidden;
}

// The codes of languages, which stand in front of a text: ">>fr<<".
void add_languages(DirectorySettings& settings, const Vocabulary& vocabulary) {
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string& token = vocabulary.token_of(id);
    if (token.size() <= 4 || !token.starts_with(">>") || !token.ends_with("<<")) continue;
    AddedToken code;
    code.content = token;
    code.kind = AddedToken::Kind::kOrdinary;
    settings.add_token(std::move(code));
  }
}

Tokenizer::Parts build_side(DirectorySettings& settings, const char* pieces_file,
                            const char* vocabulary_file) {
  const std::filesystem::path file = settings.use(pieces_file);
  const SentencePieceModel model = read_sentencepiece(file);
  if (model.algorithm != SentencePieceModel::Algorithm::kUnigram) {
    throw DataError(file.string(),
                    "field 'trainer_spec.model_type': expected 1 (unigram), found 2 (BPE)");
  }
  Vocabulary vocabulary = read_vocabulary_json(settings.use(vocabulary_file));
  add_languages(settings, vocabulary);
  std::vector<SentencePiece::Piece> pieces;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    pieces.push_back({piece.text, piece.score, kind_of(piece.type)});
  }
  Tokenizer::Parts parts;
  try {
    parts.normalizer = sentence_piece_normalizer(
        model.charsmap, {.add_dummy_prefix = model.add_dummy_prefix,
                         .remove_extra_whitespaces = model.remove_extra_whitespaces,
                         .escape_whitespaces = model.escape_whitespaces});
    parts.model = std::make_shared<SentencePiece>(std::move(vocabulary),
                                                  settings.content(Named::kUnk), std::move(pieces));
  } catch (const UsageError& error) {
    throw DataError(file.string(), error.what());
  }
  parts.decoder = decoder_of({{"type", "Metaspace"}, {"replacement", "▁"}});
  add_tokens(settings, parts);
  const TemplatePart eos = special_part(settings, Named::kEos, parts.added.tokens());
  parts.post_processor =
      template_processor({{.token = "A"}, eos}, {{.token = "A"}, {.token = "B"}, eos});
  return parts;
}

}  // namespace

MarianParts build_marian(DirectorySettings& settings) {
  settings.set_defaults_of("MarianTokenizer");
  const bool separate = settings.flag("separate_vocabs", false);
  Tokenizer::Parts source = build_side(settings, "source.spm", "vocab.json");
  return {std::move(source),
          build_side(settings, "target.spm", separate ? "target_vocab.json" : "vocab.json")};
}

}  // namespace heed::text
