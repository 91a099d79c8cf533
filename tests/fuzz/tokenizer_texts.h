// What the targets of tokenizers make a tokenizer do.
#pragma once

#include <array>
#include <string>

#include "heed/text/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {

inline const std::array<std::string, 5>& texts() {
  static const std::array<std::string, 5> all = {
      std::string(), std::string("ab a  b\n"), std::string(" Hello, é漢😀e\u0301\t<s>[PAD]\r\n1"),
      std::string(60, 'a'), std::string("\0\u0085İ ﬁ", 10)};
  return all;
}

// Ids and offsets lie inside, whatever the file says. A text may be refused.
inline void encode(const text::Tokenizer& tokenizer, const std::string& text) {
  try {
    const text::Encoding encoding = tokenizer.encode(text);
    expect(encoding.ids == tokenizer.encode_ids(text));
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      expect(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.size());
      expect(encoding.offsets[i].begin <= encoding.offsets[i].end);
      expect(encoding.offsets[i].end <= text.size());
    }
    tokenizer.decode(encoding.ids);
  } catch (const DataError&) {
  }
}

}  // namespace heed::fuzz
