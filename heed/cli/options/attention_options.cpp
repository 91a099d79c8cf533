#include "heed/cli/options/attention_options.h"
#include "heed/cli/options/validators.h"

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

void add_attention_options(CLI::App& app, nn::AttentionSettings& settings) {
  const std::string group = "Attention";
  app.add_option("--score", settings.score,
                 "How a query meets a key: dot, scaled_dot, cosine or additive")
      ->check([](const std::string& text) { return error_in({.score = text}); })
      ->group(group);
  app.add_option("--pattern", settings.pattern,
                 "Which tokens see each other: full, causal, window:LEFT:RIGHT, "
                 "dilated:LEFT:RIGHT:STEP, global:COUNT; joined with & (both) and | (either)")
      ->check([](const std::string& text) { return error_in({.pattern = text}); })
      ->group(group);
  app.add_option("--positions", settings.positions, "How the order of tokens is known")
      ->check(CLI::IsMember({"none", "sinusoidal", "learned", "rotary", "alibi", "relative"}))
      ->group(group);
  app.add_option("--softcap", settings.softcap,
                 "Scores stay between plus and minus this, by tanh; 0: no limit")
      ->check(at_least_0())
      ->group(group);
  app.add_option("--num-key-value-heads", settings.num_key_value_heads,
                 "Heads of keys and values, each shared by several heads of queries; a divisor of "
                 "--num-heads; 0: as many")
      ->check(at_least_0())
      ->group(group);
  app.add_option("--rope-theta", settings.rope_theta, "Of rotary positions: their base, above 1")
      ->check(above_0())
      ->group(group);
  app.add_option("--max-relative-positions", settings.max_relative_positions,
                 "Of relative positions: tokens that are farther away share a bias")
      ->check(at_least_1())
      ->group(group);
}

}  // namespace heed::cli
