#include "heed/text/words/sentences.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

#include "heed/base/error.h"
#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

void append_trimmed(std::string_view text, size_t begin, size_t end, std::vector<Span>& spans) {
  size_t first = end;  // of what is no white space
  size_t last = begin;
  for (size_t at = begin; at < end;) {
    const size_t here = at;
    if (is_white_space(next_code_point(text, at))) continue;
    if (first == end) first = here;
    last = at;
  }
  if (first < last) spans.push_back({static_cast<uint32_t>(first), static_cast<uint32_t>(last)});
}

struct CloseText {
  void operator()(UText* text) const { utext_close(text); }
};

// The sentences of text[begin, end), which holds no line break.
void append_sentences(std::string_view text, size_t begin, size_t end, std::vector<Span>& spans) {
  UErrorCode status = U_ZERO_ERROR;
  const std::string_view line = text.substr(begin, end - begin);
  const std::unique_ptr<UText, CloseText> source(
      utext_openUTF8(nullptr, line.data(), static_cast<int64_t>(line.size()), &status));
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
  if (U_SUCCESS(status)) breaks->setText(source.get(), status);
  if (U_FAILURE(status)) throw Error(text_of("ICU's sentence rules: ", u_errorName(status)));
  size_t from = 0;
  for (int32_t to = breaks->next(); to != icu::BreakIterator::DONE; to = breaks->next()) {
    append_trimmed(text, begin + from, begin + static_cast<size_t>(to), spans);
    from = static_cast<size_t>(to);
  }
}

}  // namespace

std::vector<Span> sentences_of(std::string_view text, SentenceBreaks breaks) {
  std::vector<Span> spans;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (breaks == SentenceBreaks::kUnicode && begin < end) {
      append_sentences(text, begin, end, spans);
    } else {
      append_trimmed(text, begin, end, spans);
    }
    begin = end + 1;
  }
  return spans;
}

}  // namespace heed::text
