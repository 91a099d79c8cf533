#include "heed/text/characters/byte_alphabet.h"

#include <array>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

constexpr size_t kBytes = 256;
constexpr char32_t kFirstSubstitute = 0x100;
constexpr size_t kCharacters = 0x144;  // one more than the last substitute

constexpr bool is_printable(size_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

constexpr std::array<char32_t, kBytes> make_characters() {
  std::array<char32_t, kBytes> characters{};
  char32_t next = kFirstSubstitute;
  for (size_t byte = 0; byte < kBytes; ++byte) {
    characters[byte] = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return characters;
}

constexpr std::array<char32_t, kBytes> kCharacterOfByte = make_characters();

constexpr std::array<int16_t, kCharacters> make_bytes() {
  std::array<int16_t, kCharacters> bytes{};
  for (int16_t& byte : bytes) byte = -1;
  for (size_t byte = 0; byte < kBytes; ++byte) {
    bytes[kCharacterOfByte[byte]] = static_cast<int16_t>(byte);
  }
  return bytes;
}

constexpr std::array<int16_t, kCharacters> kByteOfCharacter = make_bytes();

}  // namespace

char32_t character_of_byte(uint8_t byte) { return kCharacterOfByte[byte]; }

std::optional<uint8_t> byte_of_character(char32_t c) {
  if (c >= kCharacters || kByteOfCharacter[c] < 0) return std::nullopt;
  return static_cast<uint8_t>(kByteOfCharacter[c]);
}

std::string from_byte_characters(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const std::optional<uint8_t> byte = byte_of_character(next_code_point(token, at));
    if (!byte) return std::string(token);
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

}  // namespace heed::text
