// Text and bytes as HTML holds them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heed {

// With entities for what markup means, so that any bytes stay text, in attributes too; bytes that
// are no UTF-8 become U+FFFD.
std::string escaped_markup(std::string_view text);

std::string base64_of(std::span<const unsigned char> bytes);
std::string base64_of(std::string_view bytes);

}  // namespace heed
