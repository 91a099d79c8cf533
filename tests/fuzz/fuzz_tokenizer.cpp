// tokenizer.json, and what such a tokenizer makes of a few texts.
#include "heed/text/tokenizer.h"

#include <nlohmann/json.hpp>
#include "tests/fuzz/tokenizer_texts.h"

namespace heed::fuzz {
using namespace heed::text;

void one(std::string_view input) {
  const Tokenizer tokenizer = Tokenizer::from_json(input);
  expect(Tokenizer::from_json(tokenizer.to_json()).to_json() == tokenizer.to_json());
  const Tokenizer with_specials = tokenizer.with_specials(Specials::kAsTokens);
  for (const std::string& text : texts()) {
    for (const Tokenizer* each : {&tokenizer, &with_specials}) encode(*each, text);
  }
}

}  // namespace heed::fuzz
