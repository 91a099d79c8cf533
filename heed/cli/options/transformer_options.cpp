#include "heed/cli/options/transformer_options.h"

#include <algorithm>

#include "heed/cli/options/attention_options.h"
#include "heed/cli/options/validators.h"
#include "heed/nn/feed_forward.h"

namespace heed::cli {

void TransformerSettings::add_to(CLI::App& app) {
  const std::string group = "Model";
  models::TransformerOptions& o = options;
  o.hidden = 0;
  app.add_option("--width", o.width, "Size of a token's vector")->check(at_least_1())->group(group);
  app.add_option("--heads", o.heads, "Attention heads; they share the width")
      ->check(at_least_1())
      ->group(group);
  app.add_option("--layers", o.layers, "Layers of each stack")->check(at_least_1())->group(group);
  app.add_option("--hidden", o.hidden,
                 "Hidden size of the feed-forward parts; 0: 4 times the width, gated 8/3 times")
      ->check(at_least_0())
      ->group(group);
  app.add_option("--activation", o.activation,
                 "Of the feed-forward parts; the last three are gated")
      ->check(CLI::IsMember({"relu", "gelu", "gelu_tanh", "silu", "reglu", "geglu", "swiglu"}))
      ->group(group);
  app.add_option("--norm", o.norm, "Layer norm, or root mean square norm")
      ->check(CLI::IsMember({"layer", "rms"}))
      ->group(group);
  app.add_option("--norm-place", o.norm_place, "Behind (post) or before (pre) each part")
      ->check(CLI::IsMember({"post", "pre"}))
      ->group(group);
  app.add_option("--bias", o.bias, "Whether linear layers add a bias")->group(group);
  app.add_option("--initialisation", o.initialisation, "How weights start")
      ->check(CLI::IsMember({"xavier_uniform", "xavier_normal", "scaled_normal", "small_normal",
                             "residual_normal", "small_embedding"}))
      ->group(group);
  app.add_option("--dropout", o.dropout, "Share of values dropped between layers")
      ->check(share_below_1())
      ->group(group);
  app.add_option("--attention-dropout", o.attention_dropout, "Share of attention weights dropped")
      ->check(share_below_1())
      ->group(group);
  app.add_option("--embedding-dropout", o.embedding_dropout, "Share of embedding values dropped")
      ->check(share_below_1())
      ->group(group);
  add_attention_options(app, o.attention);
}

void TransformerSettings::check() const {
  models::TransformerOptions o = resolved();
  o.longest = std::max<int64_t>(o.longest, 1);  // 0: the task knows later
  models::check(o);
}

models::TransformerOptions TransformerSettings::resolved() const {
  models::TransformerOptions o = options;
  if (o.hidden == 0) {
    o.hidden = nn::feed_forward_kind_from(o.activation).gated ? 8 * o.width / 3 : 4 * o.width;
  }
  return o;
}

OrderedJson described(const models::TransformerOptions& o) {
  return {
      {"longest", o.longest},
      {"width", o.width},
      {"heads", o.heads},
      {"key_heads", nn::key_heads_of(o.attention, o.heads)},
      {"layers", o.layers},
      {"hidden", o.hidden},
      {"activation", o.activation},
      {"norm", o.norm},
      {"norm_place", o.norm_place},
      {"score", o.attention.score},
      {"pattern", o.attention.pattern},
      {"positions", o.attention.positions},
      {"softcap", o.attention.softcap},
  };
}

}  // namespace heed::cli
