// Lists of names in a text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace heed {

// "a, b, c": texts, or what `text_of_part` makes of each part.
template <typename Parts, typename TextOf = std::identity>
std::string joined(const Parts& parts, std::string_view separator = ", ",
                   const TextOf& text_of_part = {}) {
  std::string all;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) all += separator;
    all += std::invoke(text_of_part, part);
    first = false;
  }
  return all;
}

}  // namespace heed
