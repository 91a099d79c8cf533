#include "heed/metrics/language.h"

#include <cmath>
#include <numbers>

#include "heed/base/error.h"

namespace heed::metrics {

LanguageLoss& LanguageLoss::operator+=(const LanguageLoss& other) {
  nats += other.nats;
  tokens += other.tokens;
  bytes += other.bytes;
  return *this;
}

double nats_per_token(const LanguageLoss& loss) {
  check_usage(loss.tokens > 0, "loss per token: expected at least one token, got ", loss.tokens);
  return loss.nats / static_cast<double>(loss.tokens);
}

double perplexity(const LanguageLoss& loss) { return std::exp(nats_per_token(loss)); }

double bits_per_byte(const LanguageLoss& loss) {
  check_usage(loss.bytes > 0, "bits per byte: expected at least one byte, got ", loss.bytes);
  return loss.nats / (static_cast<double>(loss.bytes) * std::numbers::ln2);
}

}  // namespace heed::metrics
