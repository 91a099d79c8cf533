// A list of the types that tokenizer.json may name, each with the function that makes one from its
// JSON object.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"

namespace heed::text {

template <typename Pointer>
struct Registered {
  std::string_view type;
  Pointer (*make)(const JsonValue& json);
};

template <typename Pointer>
std::string known_types(std::span<const Registered<Pointer>> list) {
  std::string names;
  for (const auto& entry : list) {
    if (!names.empty()) names += ", ";
    names += entry.type;
  }
  return names;
}

// Makes the type that json.type names, or `otherwise` where there is none. DataError: none of the
// list has that name.
template <typename Pointer>
Pointer make_registered(std::span<const Registered<Pointer>> list, const JsonValue& json,
                        std::string_view otherwise = {}) {
  const bool named = otherwise.empty() || json.has("type");
  const std::string_view type = named ? json.at("type").string() : otherwise;
  for (const auto& entry : list) {
    if (entry.type == type) return entry.make(json);
  }
  json.at("type").fail("one of " + known_types(list));
}

// Makes the type of this name with its default settings. UsageError: none of the list has it.
template <typename Pointer>
Pointer make_registered(std::span<const Registered<Pointer>> list, std::string_view type,
                        std::string_view what) {
  for (const auto& entry : list) {
    if (entry.type == type) return entry.make(JsonValue({{"type", type}}, std::string(what)));
  }
  throw UsageError(
      text_of("unknown ", what, " ", excerpt(type), ": expected one of ", known_types(list)));
}

}  // namespace heed::text
