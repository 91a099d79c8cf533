#include "heed/text/models/sentence_piece.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

using ScoredPiece = SentencePiece::Piece;
using PieceKind = ScoredPiece::Kind;

constexpr float kPenaltyOfUnknown = 10;

// Behind all pieces; no text spells it.
constexpr const char* kNoPiece = "\xEF\xBF\xBF";  // U+FFFF, which is no character

std::string_view name_of(PieceKind kind) {
  switch (kind) {
    case PieceKind::kNormal:
      return "normal";
    case PieceKind::kUserDefined:
      return "user_defined";
    case PieceKind::kHidden:
      return "hidden";
  }
  return "";
}

}  // namespace

SentencePiece::SentencePiece(Vocabulary vocabulary, std::string unknown_token,
                             std::vector<ScoredPiece> pieces)
    : vocabulary_(std::move(vocabulary)),
      unknown_token_(std::move(unknown_token)),
      unknown_id_(vocabulary_.id_of(unknown_token_)),
      pieces_(std::move(pieces)) {
  check_usage(unknown_id_ != kNoId, "the unknown token ", excerpt(unknown_token_),
              " is not in the vocabulary");
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const ScoredPiece& piece : pieces_) {
    if (piece.kind != PieceKind::kNormal) continue;
    least = std::min(least, piece.score);
    most = std::max(most, piece.score);
  }
  check_usage(least <= most, "a SentencePiece model has at least one normal piece");
  std::vector<std::string> texts;
  std::vector<double> scores;
  for (const ScoredPiece& piece : pieces_) {
    // What users define is always chosen.
    const bool defined = piece.kind == PieceKind::kUserDefined;
    texts.push_back(piece.text);
    const double always = static_cast<double>(piece.text.size()) * most - 0.1;
    scores.push_back(static_cast<float>(defined ? always : piece.score));
    ids_.push_back(vocabulary_.id_of(piece.text));
    if (piece.kind == PieceKind::kHidden)
      hidden_pieces_.add(static_cast<int32_t>(texts.size()) - 1);
  }
  const auto unknown = static_cast<int32_t>(texts.size());
  texts.emplace_back(kNoPiece);
  scores.push_back(0);
  hidden_pieces_.add(unknown);
  unigram_ = std::make_unique<Unigram>(
      Vocabulary(std::move(texts)), std::move(scores),
      UnigramSettings{.unknown_id = unknown,
                      .unknown_score = static_cast<float>(least) - kPenaltyOfUnknown,
                      .rounds_sums = true});
}

void SentencePiece::tokenize(std::string_view piece, const HiddenIds& hidden,
                             std::vector<ModelToken>& tokens) const {
  const size_t first = tokens.size();
  unigram_->tokenize(piece, hidden_pieces_, tokens);
  for (size_t i = first; i < tokens.size(); ++i) {
    ModelToken& token = tokens[i];
    const bool known = static_cast<size_t>(token.id) < ids_.size();
    const int32_t id = known
                           ? ids_[static_cast<size_t>(token.id)]
                           : vocabulary_.id_of(piece.substr(token.range.begin, token.range.size()));
    const int32_t visible = hidden.visible(id);
    token.id = id == kNoId || visible == kNoId ? unknown_id_ : visible;
  }
}

ModelPointer SentencePiece::read(const JsonValue& json) {
  json.check_keys({"type", "unk_token", "pieces", "vocab"});
  const JsonValue list = json.at("pieces");
  std::vector<ScoredPiece> pieces;
  for (size_t i = 0, size = list.array_size(); i < size; ++i) {
    const Json& entry = list.json()[i];
    if (!entry.is_array() || entry.size() != 3 || !entry[0].is_string() || !entry[1].is_number() ||
        !entry[2].is_string()) {
      list.at(i).fail("a piece, its score and its kind, [\"a\", -3.5, \"normal\"]");
    }
    const auto kind = list.at(i).at(2).one_of<PieceKind>({{"normal", PieceKind::kNormal},
                                                          {"user_defined", PieceKind::kUserDefined},
                                                          {"hidden", PieceKind::kHidden}});
    pieces.push_back({entry[0].get<std::string>(), entry[1].get<double>(), kind});
  }
  Vocabulary vocabulary = Vocabulary::read(json.at("vocab"));
  try {
    return std::make_shared<SentencePiece>(std::move(vocabulary), json.at("unk_token").string(),
                                           std::move(pieces));
  } catch (const UsageError& error) {
    throw DataError(json.file(), text_of("field '", json.path(), ".pieces': ", error.what()));
  }
}

OrderedJson SentencePiece::to_json() const {
  OrderedJson::array_t pieces;
  for (const ScoredPiece& piece : pieces_) {
    pieces.push_back({piece.text, piece.score, name_of(piece.kind)});
  }
  OrderedJson json;
  json["type"] = type();
  json["unk_token"] = unknown_token_;
  json["pieces"] = std::move(pieces);
  json["vocab"] = vocabulary_.to_json();
  return json;
}

}  // namespace heed::text
