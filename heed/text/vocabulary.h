// Token strings and their ids, dense from 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/json.h"

namespace heed::text {

class Vocabulary {
 public:
  Vocabulary() = default;

  // The id of a token is its place in the list. UsageError: a token stands there twice.
  explicit Vocabulary(std::vector<std::string> tokens);

  // {"token": id, ...} of tokenizer.json. DataError: an id twice, negative or with a gap before it.
  static Vocabulary read(const JsonValue& json);

  // The same object, in the order of the ids.
  OrderedJson to_json() const;

  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }

  // kNoId (-1) if the token is not there.
  int32_t id_of(std::string_view token) const;

  // `id` must be in [0, size()).
  const std::string& token_of(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }

 private:
  // Builds slots_; returns the id of a token that stands there twice, or kNoId.
  int32_t index();

  std::vector<std::string> tokens_;

  // A hash table with open addressing: a lookup is the hot loop of every word-level text.
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };
  std::vector<Slot> slots_;  // a power of two, at most half full
};

// "<0x0A>": how SentencePiece writes the token of a byte.
std::string byte_token(unsigned byte);

}  // namespace heed::text
