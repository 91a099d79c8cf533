// A whole piece is a token, or it is unknown.
#pragma once

#include <string>

#include "heed/text/model.h"

namespace heed::text {

class WordLevel final : public Model {
 public:
  // UsageError: the unknown token is not in the vocabulary.
  WordLevel(Vocabulary vocabulary, std::string_view unknown_token);

  // {"type": "WordLevel", "vocab": {...}, "unk_token": "[UNK]"}
  static ModelPointer read(const JsonValue& json);

  std::string_view type() const override { return "WordLevel"; }
  void tokenize(std::string_view piece, const HiddenIds& hidden,
                std::vector<ModelToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int32_t unknown_id() const override { return unknown_id_; }
  OrderedJson to_json() const override;

 private:
  Vocabulary vocabulary_;
  int32_t unknown_id_;
};

}  // namespace heed::text
