// Attention patterns as text, as in --pattern and config.json.
#include "heed/nn/attention/attention_settings.h"
#include "tests/fuzz/fuzz.h"

void heed::fuzz::one(std::string_view input) {
  const Pattern pattern = nn::pattern_from(input);
  const std::string text = nn::text_of_pattern(pattern);
  expect(nn::text_of_pattern(nn::pattern_from(text)) == text);
}
