#include "heed/text/characters/graphemes.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

struct MarkRange {
  char32_t first, last;
};

// Marks of Unicode 15.1, 16 and 17. Spacing ones are among them: only what is between conjuncts
// tells them from the others, and none of these scripts is written there.
constexpr std::array kNewerMarks = std::to_array<MarkRange>({
    {0x897, 0x897},     {0x1ACF, 0x1ADD},   {0x1AE0, 0x1AEB},   {0x10D69, 0x10D6D},
    {0x10EFA, 0x10EFC}, {0x113B8, 0x113C0}, {0x113C2, 0x113C2}, {0x113C5, 0x113C5},
    {0x113C7, 0x113CA}, {0x113CC, 0x113D0}, {0x113D2, 0x113D2}, {0x113E1, 0x113E2},
    {0x11B60, 0x11B67}, {0x11F5A, 0x11F5A}, {0x1611E, 0x1612F}, {0x1E5EE, 0x1E5EF},
    {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF}, {0x1E6F5, 0x1E6F5},
});
constexpr char32_t kTuluRepha = 0x113D1;           // Prepend, of Unicode 16
constexpr char32_t kZanabazarInitialRa = 0x11A3A;  // Prepend until Unicode 15

UChar32 code(char32_t c) { return static_cast<UChar32>(c); }

UGraphemeClusterBreak class_of(char32_t c) {
  if (c >= ' ' && c < 0x7F) return U_GCB_OTHER;
  if (c == kTuluRepha) return U_GCB_PREPEND;
  if (c == kZanabazarInitialRa) return U_GCB_OTHER;
  const auto kind = static_cast<UGraphemeClusterBreak>(
      u_getIntPropertyValue(code(c), UCHAR_GRAPHEME_CLUSTER_BREAK));
  if (kind != U_GCB_OTHER) return kind;
  const auto* range =
      std::lower_bound(kNewerMarks.begin(), kNewerMarks.end(), c,
                       [](const MarkRange& marks, char32_t wanted) { return marks.last < wanted; });
  return range != kNewerMarks.end() && range->first <= c ? U_GCB_EXTEND : U_GCB_OTHER;
}

bool is_break(UGraphemeClusterBreak kind) {
  return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

bool is_pictograph(char32_t c) {
  return c >= 0xA9 && u_hasBinaryProperty(code(c), UCHAR_EXTENDED_PICTOGRAPHIC);
}

// Rules GB6 to GB8: the parts of a Korean syllable.
bool joins_syllable(UGraphemeClusterBreak left, UGraphemeClusterBreak right) {
  switch (left) {
    case U_GCB_L:
      return right == U_GCB_L || right == U_GCB_V || right == U_GCB_LV || right == U_GCB_LVT;
    case U_GCB_LV:
    case U_GCB_V:
      return right == U_GCB_V || right == U_GCB_T;
    case U_GCB_LVT:
    case U_GCB_T:
      return right == U_GCB_T;
    default:
      return false;
  }
}

// The scripts of rule GB9c.
bool joins_consonants(UScriptCode script) {
  static constexpr std::array kScripts = std::to_array<UScriptCode>(
      {USCRIPT_BALINESE, USCRIPT_BENGALI, USCRIPT_CHAKMA, USCRIPT_DEVANAGARI, USCRIPT_DIVES_AKURU,
       USCRIPT_GUJARATI, USCRIPT_JAVANESE, USCRIPT_KAWI, USCRIPT_KHAROSHTHI, USCRIPT_KHMER,
       USCRIPT_LANNA, USCRIPT_MALAYALAM, USCRIPT_MEITEI_MAYEK, USCRIPT_MYANMAR, USCRIPT_ORIYA,
       USCRIPT_SOYOMBO, USCRIPT_SUNDANESE, USCRIPT_TELUGU, USCRIPT_ZANABAZAR_SQUARE});
  return std::find(kScripts.begin(), kScripts.end(), script) != kScripts.end();
}

enum class Conjunct : uint8_t { kNone, kConsonant, kLinker };

// The property of rule GB9c, which came with Unicode 15.1, by what it is made of. The independent
// vowels of some scripts belong to the consonants; no table of SentencePiece rewrites one of them.
Conjunct conjunct_of(char32_t c) {
  if (c < 0x900 || (c > 0x1BFF && c < 0xA980)) return Conjunct::kNone;
  const int32_t syllable = u_getIntPropertyValue(code(c), UCHAR_INDIC_SYLLABIC_CATEGORY);
  const bool linker = syllable == U_INSC_VIRAMA || syllable == U_INSC_INVISIBLE_STACKER;
  if (!linker && syllable != U_INSC_CONSONANT) return Conjunct::kNone;
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(code(c), &status);
  if (U_FAILURE(status) || !joins_consonants(script)) return Conjunct::kNone;
  return linker ? Conjunct::kLinker : Conjunct::kConsonant;
}

bool extends(UGraphemeClusterBreak kind) { return kind == U_GCB_EXTEND || kind == U_GCB_ZWJ; }

// A cluster that grows: what of it decides whether the next character belongs to it.
class Cluster {
 public:
  explicit Cluster(char32_t first) { add(first, class_of(first)); }

  // Whether it goes on with c, which it then has.
  bool take(char32_t c) {
    const UGraphemeClusterBreak kind = class_of(c);
    if (!goes_on(c, kind)) return false;
    add(c, kind);
    return true;
  }

 private:
  static constexpr char32_t kNonJoiner = 0x200C;

  // Whether a pictograph goes on over what follows it (rule GB11).
  enum class Emoji : uint8_t { kNone, kPictograph, kJoined };

  bool goes_on(char32_t c, UGraphemeClusterBreak right) const {
    if (last_ == U_GCB_CR && right == U_GCB_LF) return true;  // GB3
    if (is_break(last_) || is_break(right)) return false;     // GB4, GB5
    return joins_syllable(last_, right) ||                    // GB6 to GB8
           extends(right) || right == U_GCB_SPACING_MARK ||   // GB9, GB9a
           last_ == U_GCB_PREPEND ||                          // GB9b
           (conjunct_ == Conjunct::kLinker && conjunct_of(c) == Conjunct::kConsonant) ||  // GB9c
           (emoji_ == Emoji::kJoined && is_pictograph(c)) ||                              // GB11
           (right == U_GCB_REGIONAL_INDICATOR && flags_ == 1);  // GB12, GB13
  }

  void add(char32_t c, UGraphemeClusterBreak kind) {
    if (kind == U_GCB_ZWJ && emoji_ == Emoji::kPictograph) {
      emoji_ = Emoji::kJoined;
    } else if (is_pictograph(c)) {
      emoji_ = Emoji::kPictograph;
    } else if (kind != U_GCB_EXTEND || emoji_ == Emoji::kJoined) {
      emoji_ = Emoji::kNone;
    }
    const Conjunct conjunct = conjunct_of(c);
    if (conjunct == Conjunct::kConsonant) {
      conjunct_ = Conjunct::kConsonant;
    } else if (conjunct_ != Conjunct::kNone && conjunct == Conjunct::kLinker) {
      conjunct_ = Conjunct::kLinker;
    } else if (!extends(kind) || c == kNonJoiner) {
      conjunct_ = Conjunct::kNone;
    }
    flags_ = kind == U_GCB_REGIONAL_INDICATOR ? flags_ + 1 : 0;
    last_ = kind;
  }

  UGraphemeClusterBreak last_ = U_GCB_OTHER;
  Emoji emoji_ = Emoji::kNone;
  // A consonant after which only marks followed; one of them a linker.
  Conjunct conjunct_ = Conjunct::kNone;
  size_t flags_ = 0;
};

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  size_t end = begin;
  Cluster cluster(next_code_point(text, end));
  for (size_t at = end; at < text.size(); end = at) {
    if (!cluster.take(next_code_point(text, at))) break;
  }
  return end;
}

}  // namespace heed::text
