#include "heed/text/steps/charsmap.h"

#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

// A unit of the trie, as Darts-clone packs it.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label_of(uint32_t unit) { return unit & (0x80000000u | 0xFF); }
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

// Whether the byte at `at` goes on with a character.
bool goes_on(std::string_view text, size_t at) {
  return at < text.size() && !begins_character(text[at]);
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

Charsmap::Charsmap(std::string bytes) : bytes_(std::move(bytes)) {
  if (bytes_.empty()) return;
  check_usage(bytes_.size() >= 4, "a table of characters of at least 4 bytes, found ",
              bytes_.size());
  const uint32_t trie = little_endian(bytes_);
  check_usage(trie % 4 == 0 && trie <= bytes_.size() - 4, "a table of characters whose trie of ",
              trie, " bytes ends within its ", bytes_.size(), " bytes");
  begin_ = 4 + trie;
  for (size_t at = 4; at < begin_; at += 4) {
    units_.push_back(little_endian(std::string_view(bytes_).substr(at, 4)));
  }
  check_usage(is_utf8(std::string_view(bytes_).substr(begin_)),
              "a table of characters whose replacements are UTF-8");
}

std::optional<Charsmap::Match> Charsmap::find(std::string_view text, Choice choice) const {
  std::optional<Match> match;
  if (units_.empty()) return match;
  const std::string_view replacements = std::string_view(bytes_).substr(begin_);
  uint32_t node = offset_of(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const bool leaf = has_leaf(units_[node]);
    node ^= offset_of(units_[node]);
    if (!leaf) continue;
    if (node >= units_.size()) break;
    // A damaged trie may match a part of a character, or point outside or inside of one.
    const size_t value = value_of(units_[node]);
    if (value >= replacements.size() || goes_on(replacements, value)) break;
    if (goes_on(text, i + 1)) continue;
    const std::string_view rest = replacements.substr(value);
    match = Match{.size = i + 1, .replacement = rest.substr(0, rest.find('\0'))};
    if (choice == Choice::kShortest) break;
  }
  return match;
}

}  // namespace heed::text
