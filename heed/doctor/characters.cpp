// Characters that people do not see, or take for others.
#include <array>
#include <string_view>

#include "heed/base/error.h"
#include "heed/doctor/checks.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"

namespace heed::doctor {
namespace {

// Invisible, or turning the direction of writing; but for the joiners that scripts and emoji need.
bool is_hidden(char32_t c) {
  if (c < 0x80) return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  if (c == 0x200c || c == 0x200d) return false;
  if (c >= 0xe0020 && c <= 0xe007f) return false;  // flags of regions
  return text::is_control(c) || c == 0x00ad;
}

enum class Alphabet : uint8_t { kNone, kLatin, kGreek, kCyrillic };

Alphabet alphabet_of(char32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0x24f)) {
    return Alphabet::kLatin;
  }
  if (c >= 0x370 && c <= 0x3ff) return Alphabet::kGreek;
  if (c >= 0x400 && c <= 0x52f) return Alphabet::kCyrillic;
  return Alphabet::kNone;
}

// A word of two alphabets: "pаypal" with a Cyrillic а. One Greek letter beside others is a symbol.
bool mixes_alphabets(std::string_view text) {
  std::array<int, 4> seen{};
  for (size_t at = 0; at <= text.size();) {
    const char32_t c = at < text.size() ? next_code_point(text, at) : (++at, U' ');
    const Alphabet alphabet = alphabet_of(c);
    if (alphabet != Alphabet::kNone) {
      ++seen[static_cast<size_t>(alphabet)];
      continue;
    }
    const int latin = seen[1], greek = seen[2], cyrillic = seen[3];
    if ((latin > 0 && cyrillic > 0) || (latin > 0 && greek > 0 && latin + greek > 3) ||
        (greek > 0 && cyrillic > 0)) {
      return true;
    }
    seen = {};
  }
  return false;
}

// What UTF-8 looks like when it was read as Latin-1 or Windows-1252: Ã or Â before a character of
// the upper half, â before € or a control character; and the mark of what could not be decoded.
bool is_decoded_wrongly(std::string_view text) {
  if (text.find("\xef\xbf\xbd") != std::string_view::npos) return true;
  char32_t last = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if ((last == 0xc3 || last == 0xc2) && c >= 0x80 && c <= 0xbf) return true;
    if (last == 0xe2 && (c == 0x20ac || (c >= 0x80 && c <= 0x9f))) return true;
    last = c;
  }
  return false;
}

bool has_markup(std::string_view text) {
  for (const std::string_view part : {"&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&#", "<br",
                                      "</", "<p>", "<div", "<span", "<a href"}) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

struct CharacterCheck {
  const char* name;
  const char* what;
  const char* advice;
  bool ascii;  // may be found in a text of ASCII alone
  bool (*found)(std::string_view text);
};

bool has_hidden(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (is_hidden(next_code_point(text, at))) return true;
  }
  return false;
}

constexpr CharacterCheck kChecks[] = {
    {"control characters", "hold characters that nobody sees",
     "remove them: to a model they are letters like others", true, has_hidden},
    {"look-alike characters", "hold words of letters from two alphabets",
     "spell them with letters of one alphabet: what looks the same is another word to a model",
     false, mixes_alphabets},
    {"wrong decoding", "look as if UTF-8 had been read as another encoding",
     "read the source again in its own encoding", false, is_decoded_wrongly},
    {"markup", "hold pieces of HTML", "turn entities into characters and remove tags", true,
     has_markup}};

}  // namespace

void check_characters(const Data& data, Report& report) {
  for (const CharacterCheck& check : kChecks) {
    report.made(check.name);
    for (const Split& split : data.splits) {
      int64_t count = 0;
      std::vector<std::string> examples;
      for (const Sample& sample : split.samples) {
        const auto found_in = [&](const std::string& text) {
          return (check.ascii || !text::is_ascii(text)) && check.found(text);
        };
        const bool in_text = found_in(sample.text);
        if (!in_text && !found_in(sample.target)) continue;
        ++count;
        if (examples.size() < kExamples) {
          examples.push_back(split.where(sample) + ": " +
                             beginning(in_text ? sample.text : sample.target));
        }
      }
      if (count == 0) continue;
      report.add({.check = check.name,
                  .severity = Severity::kWarning,
                  .summary = text_of(split.name, ": ",
                                     share_text(count, std::ssize(split.samples), "texts"), ' ',
                                     check.what),
                  .advice = check.advice,
                  .examples = std::move(examples)});
    }
  }
}

}  // namespace heed::doctor
