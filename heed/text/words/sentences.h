// A document as its sentences: what attention over words and then over sentences reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

enum class SentenceBreaks : uint8_t {
  kUnicode,  // UAX #29, section 5; a line break ends a sentence too
  kLines,    // only line breaks
};

// The bytes of each sentence of a text (UTF-8), without white space at its ends; empty ones are
// left out. A document without any sentence gives none.
std::vector<Span> sentences_of(std::string_view text,
                               SentenceBreaks breaks = SentenceBreaks::kUnicode);

}  // namespace heed::text
