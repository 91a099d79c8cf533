// BART and, in its form, the translators of Marian.
// Lewis et al. 2020, Junczys-Dowmunt et al. 2018
#include <cmath>

#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bart_stack.h"

namespace heed::models::published {
namespace {

constexpr int64_t kOffset = 2;  // of BART's positions

}  // namespace

EncoderDecoderOptions bart_sizes(const Config& config) {
  const int64_t padding = config.integer({"pad_token_id"}, 1, {.least = 0});
  EncoderDecoderOptions options{.source_pad_token_id = padding, .target_pad_token_id = padding};
  options.source_vocab_size = config.size({"vocab_size"});
  options.target_vocab_size = options.source_vocab_size;
  options.num_decoder_layers = config.size({"decoder_layers"});
  options.num_decoder_heads = config.size({"decoder_attention_heads"});
  options.decoder_d_ff = config.size({"decoder_ffn_dim"});
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"d_model", "hidden_size"});
  o.num_heads = config.size({"encoder_attention_heads"});
  o.num_layers = config.size({"encoder_layers"});
  o.d_ff = config.size({"encoder_ffn_dim"});
  o.activation = config.activation({"activation_function"}, "gelu");
  o.dropout = config.number({"dropout"}, 0.1, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attention_dropout"}, 0, {0, nn::kLargestShare});
  o.embedding_dropout = o.dropout;
  o.details.hidden_dropout = config.number({"activation_dropout"}, 0, {0, nn::kLargestShare});
  o.input.scale =
      config.boolean({"scale_embedding"}, false) ? std::sqrt(static_cast<double>(o.d_model)) : 1;
  return options;
}

void read_source_twice(const Config& config, Purpose purpose, const UsualTokens& usual,
                       Plan& plan) {
  const EncoderDecoderOptions& network = std::get<EncoderDecoderOptions>(plan.network);
  const int64_t width = network.transformer.d_model;
  const IntegerRange ids = {.least = 0, .most = network.target_vocab_size - 1};
  plan.first_target_id = config.integer({"decoder_start_token_id"}, usual.decoder_start, ids);
  if (purpose == Purpose::kQuestionAnswering) {
    plan.head = {.d_model = width, .outputs = 2};
    plan.head_rules = {{"output", {"qa_outputs"}}};
  } else if (purpose == Purpose::kSequenceClassification) {
    const double dropout = config.number({"classifier_dropout"}, 0, {0, nn::kLargestShare});
    plan.last_read_id = config.integer({"eos_token_id"}, usual.eos, ids);
    plan.head = {.d_model = width,
                 .pooling = Pooling::kLast,
                 .inner_dropout = dropout,
                 .d_inner = width,
                 .activation = "tanh",
                 .outputs = std::ssize(config.labels()),
                 .dropout = dropout};
    plan.head_rules = {{"dense", {"classification_head.dense"}},
                       {"output", {"classification_head.out_proj"}}};
  }
}

void add_bart_stack(const std::string& ours, const std::string& theirs, Rules& rules) {
  const std::string to = ours + ".layer_*.";
  const std::string from = "." + theirs + ".layers.*.";
  const auto three = [&](const std::string& part) {
    return std::vector<std::string>{from + part + ".q_proj", from + part + ".k_proj",
                                    from + part + ".v_proj"};
  };
  rules.push_back({to + "attention.query_key_value", three("self_attn")});
  rules.push_back({to + "attention.output", {from + "self_attn.out_proj"}});
  rules.push_back({to + "attention_norm", {from + "self_attn_layer_norm"}});
  rules.push_back({to + "feed_forward.up", {from + "fc1"}});
  rules.push_back({to + "feed_forward.down", {from + "fc2"}});
  rules.push_back({to + "feed_forward_norm", {from + "final_layer_norm"}});
  if (theirs == "encoder") return;
  rules.push_back({to + "cross_attention.query", {from + "encoder_attn.q_proj"}});
  rules.push_back({to + "cross_attention.key_value",
                   {from + "encoder_attn.k_proj", from + "encoder_attn.v_proj"}});
  rules.push_back({to + "cross_attention.output", {from + "encoder_attn.out_proj"}});
  rules.push_back({to + "cross_attention_norm", {from + "encoder_attn_layer_norm"}});
}

namespace {

EncoderDecoderOptions bart_options(const Config& config, Purpose purpose) {
  EncoderDecoderOptions options = bart_sizes(config);
  options.logit_bias = purpose == Purpose::kConditionalGeneration;
  options.transformer.max_length = config.size({"max_position_embeddings"});
  return options;
}

Rules bart_rules(bool shared) {
  Rules all;
  if (shared) {
    all.push_back(
        {"source.embedding.weight",
         {".shared.weight"},
         Layout::kRows,
         {".encoder.embed_tokens.weight", ".decoder.embed_tokens.weight", "lm_head.weight"}});
  } else {
    all.push_back({"source.embedding.weight", {".encoder.embed_tokens.weight"}});
    all.push_back({"target.embedding.weight",
                   {".decoder.embed_tokens.weight"},
                   Layout::kRows,
                   {"lm_head.weight"}});
  }
  add_bart_stack("encoder", "encoder", all);
  add_bart_stack("decoder", "decoder", all);
  all.push_back({"logit_bias", {"final_logits_bias"}, Layout::kOneRow});
  return all;
}

Plan plan_bart(const Config& config, Purpose purpose) {
  config.expect("tie_word_embeddings", true);
  EncoderDecoderOptions options = bart_options(config, purpose);
  TransformerOptions& o = options.transformer;
  o.attention.positions = "learned";
  o.input.position_offset = kOffset;
  o.input.norm = true;
  Plan made{.network = options, .network_rules = bart_rules(true)};
  made.network_rules.push_back({"source.positions.table", {".encoder.embed_positions.weight"}});
  made.network_rules.push_back({"target.positions.table", {".decoder.embed_positions.weight"}});
  made.network_rules.push_back({"source.sum_norm", {".encoder.layernorm_embedding"}});
  made.network_rules.push_back({"target.sum_norm", {".decoder.layernorm_embedding"}});
  if (purpose != Purpose::kConditionalGeneration) {
    read_source_twice(config, purpose, {.decoder_start = 2, .eos = 2}, made);
  }
  return made;
}

Plan plan_marian(const Config& config, Purpose purpose) {
  config.expect("tie_word_embeddings", true);
  EncoderDecoderOptions options = bart_options(config, purpose);
  const bool shared = config.boolean({"share_encoder_decoder_embeddings"}, true);
  options.tie_word_embeddings = shared ? "all" : "output";
  if (!shared) {
    options.target_vocab_size = config.size({"decoder_vocab_size", "vocab_size"});
  }
  options.transformer.attention.positions = "sinusoidal";
  options.transformer.input.sinusoid_halves = true;
  return {.network = options, .network_rules = bart_rules(shared)};
}

}  // namespace

Architecture bart() {
  return {.model_type = "bart",
          .base = "model",
          .classes = {{Purpose::kFeatures, "BartModel"},
                      {Purpose::kConditionalGeneration, "BartForConditionalGeneration"},
                      {Purpose::kSequenceClassification, "BartForSequenceClassification"},
                      {Purpose::kQuestionAnswering, "BartForQuestionAnswering"}},
          .plan = plan_bart};
}

Architecture marian() {
  return {.model_type = "marian",
          .base = "model",
          .classes = {{Purpose::kConditionalGeneration, "MarianMTModel"}},
          .plan = plan_marian};
}

}  // namespace heed::models::published
