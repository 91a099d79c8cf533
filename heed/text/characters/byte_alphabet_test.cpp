#include "heed/text/characters/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

TEST(ByteAlphabet, EveryByteHasACharacterOfItsOwn) {
  std::set<char32_t> characters;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t c = character_of_byte(static_cast<uint8_t>(byte));
    EXPECT_TRUE(characters.insert(c).second);
    EXPECT_FALSE(is_white_space(c));
    EXPECT_EQ(byte_of_character(c), byte);
  }
  EXPECT_EQ(character_of_byte(' '), U'Ġ');
  EXPECT_EQ(character_of_byte('\n'), U'Ċ');
  EXPECT_EQ(byte_of_character(' '), std::nullopt);
  EXPECT_EQ(byte_of_character(0x144), std::nullopt);
}

TEST(ByteAlphabet, CharactersBecomeBytes) {
  EXPECT_EQ(from_byte_characters("ĠÃ©"), " é");
  EXPECT_EQ(from_byte_characters("Ġ中"), "Ġ中");
}

}  // namespace
}  // namespace heed::text
