#include "heed/text/models/word_level.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {

WordLevel::WordLevel(Vocabulary vocabulary, std::string_view unknown_token)
    : vocabulary_(std::move(vocabulary)), unknown_id_(vocabulary_.id_of(unknown_token)) {
  check_usage(unknown_id_ != kNoId, "the unknown token ", excerpt(unknown_token),
              " is not in the vocabulary");
}

ModelPointer WordLevel::read(const JsonValue& json) {
  json.check_keys({"type", "vocab", "unk_token"});
  Vocabulary vocabulary = Vocabulary::read(json.at("vocab"));
  const JsonValue unknown = json.at("unk_token");
  if (vocabulary.id_of(unknown.string()) == kNoId) unknown.fail("a token of the vocabulary");
  return std::make_shared<WordLevel>(std::move(vocabulary), unknown.string());
}

void WordLevel::tokenize(std::string_view piece, const HiddenIds& hidden,
                         std::vector<ModelToken>& tokens) const {
  const int32_t id = hidden.visible(vocabulary_.id_of(piece));
  tokens.push_back({id == kNoId ? unknown_id_ : id, {0, static_cast<uint32_t>(piece.size())}});
}

OrderedJson WordLevel::to_json() const {
  return {{"type", type()},
          {"vocab", vocabulary_.to_json()},
          {"unk_token", vocabulary_.token_of(unknown_id_)}};
}

}  // namespace heed::text
