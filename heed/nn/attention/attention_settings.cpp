#include "heed/nn/attention/attention_settings.h"

#include "heed/base/error.h"
#include "heed/ops/attention/score_kinds.h"

namespace heed::nn {

std::vector<std::string> position_names() {
  return {"none", "sinusoidal", "learned", "rotary", "alibi", "relative"};
}

std::vector<std::string> score_names() { return heed::score_names(); }

void check_pattern(const std::string& text) { pattern_from(text); }

void check(const AttentionSettings& settings, const HeadSizes& sizes) {
  constexpr double kLeastSoftcap = 1e-3;  // its inverse, too, is a number of float32
  check_usage(settings.softcap == 0 || settings.softcap >= kLeastSoftcap,
              "softcap: expected 0 (none) or at least ", kLeastSoftcap, ", got ", settings.softcap);
  visit_fields(settings, FieldCheck());
  check_usage(settings.positions != "rotary" || sizes.size % 2 == 0,
              "positions: rotary rotates pairs, so that the size of a head (d_model / num_heads) "
              "must be even, got ",
              sizes.size);
  check_usage(
      settings.num_key_value_heads == 0 || sizes.num_heads % settings.num_key_value_heads == 0,
      "num_key_value_heads: expected a divisor of the ", sizes.num_heads, " heads, got ",
      settings.num_key_value_heads);
}

}  // namespace heed::nn
