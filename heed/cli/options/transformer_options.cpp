#include "heed/cli/options/transformer_options.h"

#include <algorithm>

#include "heed/cli/options/attention_options.h"
#include "heed/cli/options/validators.h"
#include "heed/nn/feed_forward.h"

namespace heed::cli {

void TransformerSettings::add_to(CLI::App& app) {
  const std::string group = "Model";
  models::TransformerOptions& o = options;
  o.d_ff = 0;
  app.add_option("--d-model", o.d_model, "Size of a token's vector")
      ->check(at_least_1())
      ->group(group);
  app.add_option("--num-heads", o.num_heads, "Attention heads; they share d_model")
      ->check(at_least_1())
      ->group(group);
  app.add_option("--num-layers", o.num_layers, "Layers of each stack")
      ->check(at_least_1())
      ->group(group);
  app.add_option("--d-ff", o.d_ff,
                 "Hidden size of the feed-forward parts; 0: 4 times d_model, gated 8/3 times")
      ->check(at_least_0())
      ->group(group);
  app.add_option("--activation", o.activation,
                 "Of the feed-forward parts; the last three are gated")
      ->check(CLI::IsMember({"relu", "gelu", "gelu_tanh", "silu", "reglu", "geglu", "swiglu"}))
      ->group(group);
  app.add_option("--norm", o.norm, "Layer norm, or root mean square norm")
      ->check(CLI::IsMember({"layer", "rms"}))
      ->group(group);
  app.add_option("--norm-first", o.norm_first,
                 "Norm before each part (pre-norm) instead of behind the residual sum (post-norm)")
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
  o.max_length = std::max<int64_t>(o.max_length, 1);  // 0: the task knows later
  models::check(o);
}

models::TransformerOptions TransformerSettings::resolved() const {
  models::TransformerOptions o = options;
  if (o.d_ff == 0) {
    o.d_ff = nn::feed_forward_kind_from(o.activation).gated ? 8 * o.d_model / 3 : 4 * o.d_model;
  }
  return o;
}

OrderedJson described(const models::TransformerOptions& o) {
  return {
      {"max_length", o.max_length},
      {"d_model", o.d_model},
      {"num_heads", o.num_heads},
      {"num_key_value_heads", nn::key_value_heads_of(o.attention, o.num_heads)},
      {"num_layers", o.num_layers},
      {"d_ff", o.d_ff},
      {"activation", o.activation},
      {"norm", o.norm},
      {"norm_first", o.norm_first},
      {"score", o.attention.score},
      {"pattern", o.attention.pattern},
      {"positions", o.attention.positions},
      {"softcap", o.attention.softcap},
  };
}

}  // namespace heed::cli
