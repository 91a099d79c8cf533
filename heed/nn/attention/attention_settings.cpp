#include "heed/nn/attention/attention_settings.h"

#include <array>
#include <cmath>

#include "heed/base/error.h"
#include "heed/ops/attention/score_kinds.h"

namespace heed::nn {
namespace {

constexpr std::array<std::string_view, 6> kPositions = {"none",   "sinusoidal", "learned",
                                                        "rotary", "alibi",      "relative"};

void check_positions(const AttentionSettings& settings, const HeadSizes& sizes) {
  std::string known;
  bool found = false;
  for (const std::string_view each : kPositions) {
    found = found || each == settings.positions;
    known += text_of(known.empty() ? "" : ", ", each);
  }
  check_usage(found, "positions: expected one of ", known, ", got '", settings.positions, "'");
  check_usage(settings.rope_theta > 1, "rope_theta: expected a number above 1, got ",
              settings.rope_theta);
  check_usage(settings.positions != "rotary" || sizes.size % 2 == 0,
              "positions: rotary rotates pairs, so that the size of a head (d_model / "
              "num_heads) must be even, got ",
              sizes.size);
}

}  // namespace

void check(const AttentionSettings& settings, const HeadSizes& sizes) {
  constexpr double kLeastSoftcap = 1e-3;  // its inverse, too, is a number of float32
  check_usage(settings.softcap == 0 || settings.softcap >= kLeastSoftcap,
              "softcap: expected 0 (none) or at least ", kLeastSoftcap, ", got ", settings.softcap);
  visit_fields(settings, FieldCheck());
  score_kind(settings.score);
  pattern_from(settings.pattern);
  check_positions(settings, sizes);
  check_usage(
      settings.num_key_value_heads == 0 || sizes.num_heads % settings.num_key_value_heads == 0,
      "num_key_value_heads: expected a divisor of the ", sizes.num_heads, " heads, got ",
      settings.num_key_value_heads);
}

}  // namespace heed::nn
