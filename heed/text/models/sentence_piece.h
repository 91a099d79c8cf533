// A unigram model exactly as SentencePiece applies it, whose pieces have the ids of another
// vocabulary, as in Marian's models. tokenizer.json has no name for it: "SentencePiece" is read by
// Heed alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/text/model.h"
#include "heed/text/models/unigram.h"

namespace heed::text {

class SentencePiece final : public Model {
 public:
  struct Piece {
    std::string text;
    double score = 0;
    enum class Kind : uint8_t { kNormal, kUserDefined, kHidden } kind = Kind::kNormal;
  };

  // The id of a piece, and of what no piece covers, is that of its text in `vocabulary`, otherwise
  // that of `unknown_token`. UsageError: it is not there; pieces that Unigram refuses.
  SentencePiece(Vocabulary vocabulary, std::string unknown_token, std::vector<Piece> pieces);

  // {"type": "SentencePiece", "unk_token": "<unk>", "pieces": [["▁a", -3.5, "normal"], ...],
  //  "vocab": {...}}
  static ModelPointer read(const JsonValue& json);

  std::string_view type() const override { return "SentencePiece"; }
  void tokenize(std::string_view piece, const HiddenIds& hidden,
                std::vector<ModelToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int32_t unknown_id() const override { return unknown_id_; }
  OrderedJson to_json() const override;

 private:
  Vocabulary vocabulary_;
  std::string unknown_token_;
  int32_t unknown_id_;
  std::vector<Piece> pieces_;
  std::unique_ptr<Unigram> unigram_;  // over the pieces and, behind them, an unknown one
  HiddenIds hidden_pieces_;
  std::vector<int32_t> ids_;  // of each piece in vocabulary_, or kNoId
};

}  // namespace heed::text
