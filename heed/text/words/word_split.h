// A raw text as words, as corpora of entities have them: punctuation stands alone, "it's" is two
// words, and user names, topics, addresses, numbers and faces are one each.
#pragma once

#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

// The bytes of each word, in order; white space lies between them. Throws DataError for a text that
// is not UTF-8.
std::vector<Span> split_words(std::string_view text);

}  // namespace heed::text
