// tokenizer.json, and what such a tokenizer makes of a few texts.
#include <vector>

#include "heed/text/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::text;

// Ids and offsets lie inside, whatever the file says.
void encode(const Tokenizer& tokenizer, const std::string& text) {
  const Encoding encoding = tokenizer.encode(text);
  expect(encoding.ids == tokenizer.encode_ids(text));
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    expect(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.size());
    expect(encoding.offsets[i].begin <= encoding.offsets[i].end);
    expect(encoding.offsets[i].end <= text.size());
  }
  tokenizer.decode(encoding.ids);
}

}  // namespace

void one(std::string_view input) {
  const Tokenizer tokenizer = Tokenizer::from_json(input);
  expect(Tokenizer::from_json(tokenizer.to_json()).to_json() == tokenizer.to_json());
  const Tokenizer with_specials = tokenizer.with_specials(Specials::kAsTokens);
  for (const std::string& text :
       {std::string(), std::string("ab a  b\n"), std::string(" Hello, é漢😀e\u0301\t<s>[PAD]\r\n1"),
        std::string(60, 'a'), std::string("\0\u0085İ ﬁ", 10)}) {
    for (const Tokenizer* each : {&tokenizer, &with_specials}) {
      try {
        encode(*each, text);
      } catch (const DataError&) {
      }
    }
  }
}

}  // namespace heed::fuzz
