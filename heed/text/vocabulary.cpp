#include "heed/text/vocabulary.h"

#include <bit>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

uint32_t hash_of(std::string_view token) {
  const size_t hash = std::hash<std::string_view>()(token);
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  check_usage(tokens_.size() <= size_t{std::numeric_limits<int32_t>::max()},
              "a vocabulary holds at most 2147483647 tokens, these are ", tokens_.size());
  const int32_t twice = index();
  if (twice != kNoId) {
    throw UsageError(text_of("a vocabulary holds every token once, but ", excerpt(token_of(twice)),
                             " is there twice"));
  }
}

int32_t Vocabulary::index() {
  slots_.assign(std::bit_ceil(2 * tokens_.size() + 1), {});
  const size_t mask = slots_.size() - 1;
  for (size_t id = 0; id < tokens_.size(); ++id) {
    const uint32_t hash = hash_of(tokens_[id]);
    size_t at = hash & mask;
    for (; slots_[at].id != kNoId; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && token_of(slots_[at].id) == tokens_[id]) return slots_[at].id;
    }
    slots_[at] = {hash, static_cast<int32_t>(id)};
  }
  return kNoId;
}

int32_t Vocabulary::id_of(std::string_view token) const {
  if (slots_.empty()) return kNoId;
  const size_t mask = slots_.size() - 1;
  const uint32_t hash = hash_of(token);
  for (size_t at = hash & mask; slots_[at].id != kNoId; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && token_of(slots_[at].id) == token) return slots_[at].id;
  }
  return kNoId;
}

Vocabulary Vocabulary::read(const JsonValue& json) {
  if (!json.json().is_object()) json.fail("an object of tokens and ids");
  const auto& object = json.json().get_ref<const Json::object_t&>();
  const IntegerRange ids = {.least = 0, .most = static_cast<int64_t>(object.size()) - 1};
  std::vector<const std::string*> tokens(object.size(), nullptr);
  for (const auto& [token, id] : object) {
    // JsonValue::at makes a path for messages, which is too slow for every token of thousands.
    const bool is_id = id.is_number_integer() && id >= ids.least && id <= ids.most;
    const std::string*& place = tokens[is_id ? id.get<size_t>() : 0];
    if (!is_id) json.at(token).integer(ids);
    if (place != nullptr) {
      json.at(token).fail(text_of("an id that no other token has (", excerpt(*place), " has it)"));
    }
    place = &token;
  }
  // As many different ids in [0, count) as tokens: none is left out.
  Vocabulary vocabulary;
  vocabulary.tokens_.reserve(tokens.size());
  for (const std::string* token : tokens) vocabulary.tokens_.push_back(*token);
  vocabulary.index();
  return vocabulary;
}

OrderedJson Vocabulary::to_json() const {
  // Appended directly: inserting by key looks for the key among all that are there.
  OrderedJson::object_t object;
  object.reserve(tokens_.size());
  for (int32_t id = 0; id < size(); ++id) object.push_back({token_of(id), id});
  return object;
}

std::string byte_token(unsigned byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

}  // namespace heed::text
