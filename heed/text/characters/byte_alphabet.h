// The 256 printable characters that stand for the 256 bytes in byte-level vocabularies, as GPT-2's
// encoder.py defines them: printable Latin-1 for itself, the rest from U+0100 on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heed::text {

char32_t character_of_byte(uint8_t byte);

// None: the character stands for no byte.
std::optional<uint8_t> byte_of_character(char32_t c);

// The bytes that the characters of a token stand for; the token as it is if one stands for none.
std::string from_byte_characters(std::string_view token);

}  // namespace heed::text
