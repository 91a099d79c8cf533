#include "heed/viz/marked_text.h"

#include <array>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/viz/drawing/drawable.h"

namespace heed {
namespace {

struct Background {
  int red, green, blue;
};

// The palette of Okabe and Ito (2008), which people with any kind of colour vision tell apart; all
// are light enough for black text.
constexpr std::array<Background, 6> kBackgrounds = {
    {{86, 180, 233}, {230, 159, 0}, {0, 158, 115}, {240, 228, 66}, {204, 121, 167}, {213, 94, 0}}};

std::string coloured(const std::string& text, const std::string& label, size_t kind) {
  const Background& b = kBackgrounds[kind % kBackgrounds.size()];
  char code[48];
  std::snprintf(code, sizeof code, "\x1b[48;2;%d;%d;%dm\x1b[38;2;0;0;0m", b.red, b.green, b.blue);
  return code + text + "\x1b[0m \x1b[2m" + label + "\x1b[0m";
}

}  // namespace

std::string marked_text(std::string_view text, const std::vector<MarkedPart>& parts, bool colors) {
  std::string out;
  size_t at = 0;
  for (const MarkedPart& part : parts) {
    check_usage(part.begin >= at && part.begin < part.end && part.end <= text.size(),
                "marked text: expected parts in order within ", text.size(), " bytes, got ",
                part.begin, " to ", part.end, " behind ", at);
    out += drawable(text.substr(at, part.begin - at));
    const std::string inside = drawable(text.substr(part.begin, part.end - part.begin));
    const std::string label = drawable(part.label);
    out += colors ? coloured(inside, label, part.kind) : "[" + inside + "](" + label + ")";
    at = part.end;
  }
  return out + drawable(text.substr(at));
}

}  // namespace heed
