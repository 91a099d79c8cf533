#include "heed/text/models/word_piece.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, WordPieceSettings settings)
    : vocabulary_(std::move(vocabulary)),
      settings_(std::move(settings)),
      unknown_id_(vocabulary_.id_of(settings_.unknown_token)) {
  check_usage(unknown_id_ != kNoId, "the unknown token ", excerpt(settings_.unknown_token),
              " is not in the vocabulary");
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    longest_ = std::max(longest_, vocabulary_.token_of(id).size());
  }
}

ModelPointer WordPiece::read(const JsonValue& json) {
  json.check_keys(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  Vocabulary vocabulary = Vocabulary::read(json.at("vocab"));
  WordPieceSettings settings = {
      .unknown_token = json.at("unk_token").string(),
      .continuing_subword_prefix = json.at("continuing_subword_prefix").string(),
      .max_input_chars_per_word =
          json.at("max_input_chars_per_word")
              .integer({.least = 0, .most = std::numeric_limits<int32_t>::max()})};
  if (vocabulary.id_of(settings.unknown_token) == kNoId) {
    json.at("unk_token").fail("a token of the vocabulary");
  }
  return std::make_shared<WordPiece>(std::move(vocabulary), std::move(settings));
}

void WordPiece::tokenize(std::string_view piece, const HiddenIds& hidden,
                         std::vector<ModelToken>& tokens) const {
  const size_t first = tokens.size();
  const auto unknown = [&] {
    tokens.resize(first);
    tokens.push_back({unknown_id_, {0, static_cast<uint32_t>(piece.size())}});
  };
  if (std::count_if(piece.begin(), piece.end(), begins_character) >
      settings_.max_input_chars_per_word) {
    return unknown();
  }
  std::string prefixed;
  for (size_t begin = 0; begin < piece.size();) {
    std::string_view rest = piece.substr(begin);
    size_t skipped = 0;  // bytes of the prefix
    if (begin > 0) {
      prefixed = settings_.continuing_subword_prefix;
      skipped = prefixed.size();
      prefixed += rest.substr(0, longest_);
      rest = prefixed;
    }
    size_t end = std::min(rest.size(), longest_);
    int32_t id = kNoId;
    for (; end > skipped; --end) {
      if (end < rest.size() && !begins_character(rest[end])) continue;
      id = hidden.visible(vocabulary_.id_of(rest.substr(0, end)));
      if (id != kNoId) break;
    }
    if (id == kNoId) return unknown();
    const size_t next = begin + end - skipped;
    tokens.push_back({id, {static_cast<uint32_t>(begin), static_cast<uint32_t>(next)}});
    begin = next;
  }
}

OrderedJson WordPiece::to_json() const {
  return {{"type", type()},
          {"unk_token", settings_.unknown_token},
          {"continuing_subword_prefix", settings_.continuing_subword_prefix},
          {"max_input_chars_per_word", settings_.max_input_chars_per_word},
          {"vocab", vocabulary_.to_json()}};
}

}  // namespace heed::text
