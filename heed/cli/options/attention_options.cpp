#include "heed/cli/options/attention_options.h"

#include "heed/base/error.h"

namespace heed::cli {
namespace {

// What cannot be used is an error of the command line, said before any file is opened.
std::string error_in(const nn::AttentionSettings& settings) {
  try {
    nn::check(settings);
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

}  // namespace

void add_attention_options(Options& options, nn::AttentionSettings& settings) {
  const std::string group = "Attention";
  options
      .add("--score", settings.score,
           "How a query meets a key: dot, scaled_dot, cosine or additive")
      .check([](const std::string& text) { return error_in({.score = text}); })
      .group(group);
  options
      .add("--pattern", settings.pattern,
           "Which tokens see each other: full, causal, window:LEFT:RIGHT, "
           "dilated:LEFT:RIGHT:STEP, global:COUNT; joined with & (both) and | (either)")
      .check([](const std::string& text) { return error_in({.pattern = text}); })
      .group(group);
  options.add("--positions", settings.positions, "How the order of tokens is known")
      .one_of({"none", "sinusoidal", "learned", "rotary", "alibi", "relative"})
      .group(group);
  options
      .add("--softcap", settings.softcap,
           "Scores stay between plus and minus this, by tanh; 0: no limit")
      .at_least(0)
      .group(group);
  options
      .add("--num-key-value-heads", settings.num_key_value_heads,
           "Heads of keys and values, each shared by several heads of queries; a divisor of "
           "--num-heads; 0: as many")
      .at_least(0)
      .group(group);
  options.add("--rope-theta", settings.rope_theta, "Of rotary positions: their base, above 1")
      .above(0)
      .group(group);
  options
      .add("--max-relative-positions", settings.max_relative_positions,
           "Of relative positions: tokens that are farther away share a bias")
      .at_least(1)
      .group(group);
}

}  // namespace heed::cli
