// Base64 (RFC 4648, section 4), as tokenizer.json holds bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heed::text {

std::string to_base64(std::string_view bytes);

// Nothing: another character than those of base64, or not padded to a multiple of four.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace heed::text
