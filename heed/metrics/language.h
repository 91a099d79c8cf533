// How well a language model predicts a text.
#pragma once

#include <cstdint>

namespace heed::metrics {

// The sum of -log p of tokens, in nats, with what it was taken over.
struct LanguageLoss {
  double nats = 0;
  int64_t tokens = 0;  // that were predicted
  int64_t bytes = 0;   // of the text (UTF-8) that they spell

  LanguageLoss& operator+=(const LanguageLoss& other);
};

// Each throws UsageError where it was taken over nothing.
double nats_per_token(const LanguageLoss& loss);
double perplexity(const LanguageLoss& loss);     // e to the nats per token
double bits_per_byte(const LanguageLoss& loss);  // comparable between tokenizers

}  // namespace heed::metrics
