#include "heed/cli/options/transformer_options.h"

#include <algorithm>

#include "heed/cli/options/attention_options.h"
#include "heed/nn/feed_forward.h"

namespace heed::cli {

void TransformerSettings::add_to(Options& command) {
  const std::string group = "Model";
  models::TransformerOptions& o = options;
  o.d_ff = 0;
  command.add("--d-model", o.d_model, "Size of a token's vector").at_least(1).group(group);
  command.add("--num-heads", o.num_heads, "Attention heads; they share d_model")
      .at_least(1)
      .group(group);
  command.add("--num-layers", o.num_layers, "Layers of each stack").at_least(1).group(group);
  command
      .add("--d-ff", o.d_ff,
           "Hidden size of the feed-forward parts; 0: 4 times d_model, gated 8/3 times")
      .at_least(0)
      .group(group);
  command.add("--activation", o.activation, "Of the feed-forward parts; the last three are gated")
      .one_of({"relu", "gelu", "gelu_tanh", "silu", "reglu", "geglu", "swiglu"})
      .group(group);
  command.add("--norm", o.norm, "Layer norm, or root mean square norm")
      .one_of({"layer", "rms"})
      .group(group);
  command
      .add("--norm-first", o.norm_first,
           "Norm before each part (pre-norm) instead of behind the residual sum (post-norm)")
      .group(group);
  command.add("--bias", o.bias, "Whether linear layers add a bias").group(group);
  command.add("--initialisation", o.initialisation, "How weights start")
      .one_of({"xavier_uniform", "xavier_normal", "scaled_normal", "small_normal",
               "residual_normal", "small_embedding"})
      .group(group);
  command.add("--dropout", o.dropout, "Share of values dropped between layers")
      .share_below_1()
      .group(group);
  command.add("--attention-dropout", o.attention_dropout, "Share of attention weights dropped")
      .share_below_1()
      .group(group);
  command.add("--embedding-dropout", o.embedding_dropout, "Share of embedding values dropped")
      .share_below_1()
      .group(group);
  add_attention_options(command, o.attention);
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

}  // namespace heed::cli
