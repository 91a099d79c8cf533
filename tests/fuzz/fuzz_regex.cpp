// A regular expression and, behind a line break, a text.
#include <vector>

#include "heed/io/utf8.h"
#include "heed/text/regex/regex.h"
#include "tests/fuzz/fuzz.h"

void heed::fuzz::one(std::string_view input) {
  const size_t end = input.find('\n');
  if (end == std::string_view::npos || !is_utf8(input)) return;
  const text::Regex regex{std::string(input.substr(0, end))};
  const std::string_view text = input.substr(end + 1);
  std::vector<text::Span> spans;
  regex.find_all(text, spans);
  uint32_t last = 0;
  for (const text::Span& span : spans) {
    expect(last <= span.begin && span.begin <= span.end && span.end <= text.size());
    expect(is_utf8(text.substr(span.begin, span.size())));
    last = span.end;
  }
}
