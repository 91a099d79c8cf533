#include "heed/text/characters/unicode.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <span>

namespace heed::text {
namespace {

struct Range {
  char32_t first, last;
};

// Characters of Unicode 15.1 and 16 that match \w.
constexpr std::array kNewerWords = std::to_array<Range>({
    {0x897, 0x897},     {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},
    {0x105C0, 0x105F3}, {0x10D40, 0x10D65}, {0x10D69, 0x10D6D}, {0x10D6F, 0x10D85},
    {0x10EC2, 0x10EC4}, {0x10EFC, 0x10EFC}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113C0}, {0x113C2, 0x113C2},
    {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D3}, {0x113E1, 0x113E2},
    {0x116D0, 0x116E3}, {0x11BC0, 0x11BE0}, {0x11BF0, 0x11BF9}, {0x11F5A, 0x11F5A},
    {0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D6C}, {0x16D70, 0x16D79},
    {0x18CFF, 0x18CFF}, {0x1CCF0, 0x1CCF9}, {0x1E5D0, 0x1E5FA}, {0x2EBF0, 0x2EE5D},
});

// Letters of Unicode 15.1 and 16.
constexpr std::array kNewerLetters = std::to_array<Range>({
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
});

// Digits of Unicode 16 and 17.
constexpr std::array kNewerNumbers = std::to_array<Range>({
    {0x10D40, 0x10D49},
    {0x116D0, 0x116E3},
    {0x11BF0, 0x11BF9},
    {0x11DE0, 0x11DE9},
    {0x16130, 0x16139},
    {0x16D70, 0x16D79},
    {0x16FF4, 0x16FF6},
    {0x1CCF0, 0x1CCF9},
    {0x1E5F1, 0x1E5FA},
});

// Capital letters of Unicode 16 and 17: `lower` is the lower case of `first`, that of the others
// follows in the same steps.
struct CaseRange {
  char32_t first, last, lower;
};
constexpr std::array kNewerCapitals = std::to_array<CaseRange>({
    {0x1C89, 0x1C89, 0x1C8A},
    {0xA7CB, 0xA7CB, 0x264},
    {0xA7CC, 0xA7CC, 0xA7CD},
    {0xA7CE, 0xA7CE, 0xA7CF},
    {0xA7D2, 0xA7D2, 0xA7D3},
    {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},
    {0xA7DC, 0xA7DC, 0x19B},
    {0x10D50, 0x10D65, 0x10D70},
    {0x16EA0, 0x16EB8, 0x16EBB},
});

// Characters that changed their category after Unicode 8.
constexpr char32_t kSharadaSandhiMark = 0x111C9;        // Po, now Mn
constexpr char32_t kCanadianChi = 0x166D;               // Po, now So
constexpr char32_t kHanunooPamudpod = 0x1734;           // Mn, now Mc
constexpr char32_t kJavaneseKeret = 0xA9BD;             // Mc, now Mn
constexpr Range kMongolianBaluda = {0x1885, 0x1886};    // Lo, now Mn
constexpr Range kVedicArdhavisarga = {0x1CF2, 0x1CF3};  // Mc, now Lo

bool within(char32_t c, const Range& range) { return range.first <= c && c <= range.last; }

bool within(char32_t c, std::span<const Range> ranges) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), c,
                       [](char32_t x, const Range& range) { return x < range.first; });
  return after != ranges.begin() && within(c, *(after - 1));
}

UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }

bool in_category(char32_t c, uint32_t mask) { return (U_GET_GC_MASK(icu(c)) & mask) != 0; }

bool assigned_in(char32_t c, uint8_t unicode_version) {
  UVersionInfo age;
  u_charAge(icu(c), age);
  return age[0] != 0 && (age[0] < unicode_version || (age[0] == unicode_version && age[1] == 0));
}

bool is_ascii_letter(char32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_ascii(std::string_view text) {
  uint8_t all = 0;
  for (const char byte : text) all |= static_cast<uint8_t>(byte);
  return all < 0x80;
}

bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(icu(c));
}

bool is_word_character(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c) || is_ascii_digit(c) || c == '_';
  return u_isUAlphabetic(icu(c)) || in_category(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK) ||
         u_hasBinaryProperty(icu(c), UCHAR_JOIN_CONTROL) || within(c, kNewerWords);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return c > ' ' && c < 0x7F && !is_ascii_letter(c) && !is_ascii_digit(c);
  if (c == kSharadaSandhiMark || c == kCanadianChi) return true;
  return in_category(c, U_GC_P_MASK) && assigned_in(c, 8);
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return is_ascii_digit(c);
  return in_category(c, U_GC_N_MASK) || within(c, kNewerNumbers);
}

bool is_letter(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c);
  return in_category(c, U_GC_L_MASK) || within(c, kNewerLetters);
}

bool is_number(char32_t c) {
  // Two blocks of digits came with Unicode 17.
  return is_numeric(c) && !within(c, Range{0x11DE0, 0x11DE9}) &&
         !within(c, Range{0x16FF4, 0x16FF6});
}

bool is_mark(char32_t c) {
  if (c < 0x300 || c == kSharadaSandhiMark) return false;
  if (within(c, kVedicArdhavisarga)) return true;
  return in_category(c, U_GC_M_MASK) && assigned_in(c, 9);
}

bool is_nonspacing_mark(char32_t c) {
  if (c < 0x300 || c == kSharadaSandhiMark || c == kJavaneseKeret || within(c, kMongolianBaluda)) {
    return false;
  }
  if (c == kHanunooPamudpod) return true;
  return in_category(c, U_GC_MN_MASK) && assigned_in(c, 8);
}

bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c < 0x80) return c < ' ' || c == 0x7F;
  return in_category(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK) && assigned_in(c, 8);
}

bool is_chinese_character(char32_t c) {
  static constexpr std::array kBlocks = std::to_array<Range>({
      {0x3400, 0x4DBF},
      {0x4E00, 0x9FFF},
      {0xF900, 0xFAFF},
      {0x20000, 0x2A6DF},
      {0x2A700, 0x2B73F},
      {0x2B740, 0x2B81F},
      {0x2B920, 0x2CEAF},
      {0x2F800, 0x2FA1F},
  });
  return c >= 0x3400 && within(c, kBlocks);
}

char32_t lower_case(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
  for (const CaseRange& range : kNewerCapitals) {
    if (range.first <= c && c <= range.last) return range.lower + (c - range.first);
  }
  return static_cast<char32_t>(u_tolower(icu(c)));
}

}  // namespace heed::text
