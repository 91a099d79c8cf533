// WordPiece as BERT uses it: from the left the longest token that fits, with "##" before every one
// but the first; a piece that cannot be covered is unknown as a whole.
#pragma once

#include <cstdint>
#include <string>

#include "heed/text/model.h"

namespace heed::text {

struct WordPieceSettings {
  std::string unknown_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  int64_t max_input_chars_per_word = 100;  // a longer piece is unknown
};

class WordPiece final : public Model {
 public:
  // UsageError: the unknown token is not in the vocabulary.
  explicit WordPiece(Vocabulary vocabulary, WordPieceSettings settings = {});

  // {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
  //  "max_input_chars_per_word": 100, "vocab": {...}}
  static ModelPointer read(const JsonValue& json);

  std::string_view type() const override { return "WordPiece"; }
  void tokenize(std::string_view piece, const HiddenIds& hidden,
                std::vector<ModelToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int32_t unknown_id() const override { return unknown_id_; }
  OrderedJson to_json() const override;

 private:
  Vocabulary vocabulary_;
  WordPieceSettings settings_;
  int32_t unknown_id_;
  size_t longest_ = 0;  // bytes of the longest token
};

}  // namespace heed::text
