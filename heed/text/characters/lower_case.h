// The lower case of a whole text, as Unicode defines it (The Unicode Standard, section 3.13): what
// Python's str.lower does. Unlike lower_case of unicode.h it looks at what stands around a
// character (a final sigma) and may write two characters for one.
#pragma once

#include <string>
#include <string_view>

namespace heed::text {

// `text` must be UTF-8.
std::string lower_case(std::string_view text);

}  // namespace heed::text
