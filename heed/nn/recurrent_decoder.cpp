#include "heed/nn/recurrent_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <optional>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/ops/dropout.h"

namespace heed::nn {
namespace {

// The looks of single tokens as one, so that who records finds a call as that of any other layer.
AttendedHeads one_look(const std::vector<AttendedHeads>& looks) {
  AttendedHeads all = looks.front();
  const auto joined = [&](const auto& member) {
    std::vector<at::Tensor> parts;
    for (const AttendedHeads& each : looks) parts.push_back(member(each));
    return parts[0].defined() ? at::cat(parts, 2) : at::Tensor();
  };
  AttendedTokens& tokens = all.tokens;
  tokens.query = joined([](const AttendedHeads& each) { return each.tokens.query; });
  tokens.result.output =
      joined([](const AttendedHeads& each) { return each.tokens.result.output; });
  tokens.result.log_sum_exp =
      joined([](const AttendedHeads& each) { return each.tokens.result.log_sum_exp; });
  tokens.result.log_sum_exp_rest =
      joined([](const AttendedHeads& each) { return each.tokens.result.log_sum_exp_rest; });
  return all;
}

// While it lives, what single tokens look at is gathered; finish() hands it on as one look.
class GatheredLooks {
 public:
  explicit GatheredLooks(AttentionTrace* trace)
      : outer_(AttentionRecorder::current()), trace_(trace) {
    if (outer_ != nullptr) recorder_.emplace();
  }

  AttentionTrace* trace() { return trace_ != nullptr ? &own_ : nullptr; }

  void finish() {
    if (recorder_ && !recorder_->cross.empty()) outer_->cross.push_back(one_look(recorder_->cross));
    if (!own_.cross_weights.empty()) {
      trace_->cross_weights.push_back(at::cat(own_.cross_weights, 2));
    }
  }

 private:
  AttentionRecorder* outer_;
  AttentionTrace* trace_;
  std::optional<AttentionRecorder> recorder_;
  AttentionTrace own_;
};

at::Tensor both_directions(const at::Tensor& state) {  // (2, B, S) -> (B, 2 S)
  return state.transpose(0, 1).flatten(1);
}

}  // namespace

std::vector<std::string> recurrent_attentions() { return {"additive", "dot", "none"}; }

struct RecurrentDecoder::Reading {
  DecoderCache& cache;
  AttentionTrace* trace = nullptr;
  // (B) int64 where rows differ and their state is kept for more; undefined: all is read.
  at::Tensor lengths = {};

  // Of one token: 1 where a row has it, 0 where it has ended.
  at::Tensor lengths_at(int64_t token) const {
    return lengths.defined() ? (lengths - token).clamp(0, 1) : at::Tensor();
  }
};

RecurrentDecoder::RecurrentDecoder(const RecurrentDecoderOptions& options) : options_(options) {
  const int64_t width = options.d_model;
  const std::vector<std::string> known = recurrent_attentions();
  check_usage(std::find(known.begin(), known.end(), options.attention) != known.end(),
              "recurrent decoder: expected an attention of additive, dot or none, got '",
              options.attention, "'");
  const auto linear = [&](const std::string& name, int64_t in, int64_t out) {
    return register_module(name, std::make_shared<Linear>(LinearOptions{.in = in, .out = out}));
  };
  for (int64_t i = 0; i < options.num_layers; ++i) {
    const bool reads_more = i == 0 && (looks_first() || feeds());
    layers.push_back(register_module(
        text_of("layer_", i),
        std::make_shared<Recurrent>(RecurrentOptions{.input_size = reads_more ? 2 * width : width,
                                                     .hidden_size = width,
                                                     .cell = options.cell})));
    starts.push_back(linear(text_of("start_", i), options.d_memory, width));
    if (options.cell == "lstm") {
      cell_starts.push_back(linear(text_of("cell_start_", i), options.d_memory, width));
    }
  }
  if (options.attention == "none") return;
  MultiHeadAttentionOptions looking{.d_model = width, .num_heads = 1};
  looking.dropout = options.attention_dropout;
  looking.attention.score = options.attention;
  looking.attention.positions = "none";
  looking.d_memory = options.d_memory;
  cross_attention = register_module("cross_attention", std::make_shared<CrossAttention>(looking));
  readout =
      looks_first() ? linear("readout", 3 * width, 2 * width) : linear("readout", 2 * width, width);
}

void RecurrentDecoder::begin(const Memory& memory, int64_t rows, DecoderCache& cache) const {
  check_usage(!memory.last.empty(),
              "recurrent decoder: expected the memory of a recurrent encoder, got another one");
  const int64_t sources = memory.states.size(0);
  check_usage(sources > 0 ? rows % sources == 0 : rows == 0,
              "recurrent decoder: expected rows that a memory of ", sources, " divides, got ",
              rows);
  const int64_t beams = sources > 0 ? rows / sources : 1;
  const auto of_rows = [&](const at::Tensor& start) {
    return beams == 1 ? start : start.repeat_interleave(beams, 0);
  };
  for (size_t i = 0; i < layers.size(); ++i) {
    const RecurrentState& last = memory.last[std::min(i, memory.last.size() - 1)];
    cache.carried.push_back({of_rows(starts[i]->forward(both_directions(last.hidden)).tanh())});
    if (!cell_starts.empty()) {
      cache.carried.back().push_back(of_rows(cell_starts[i]->forward(both_directions(last.cell))));
    }
  }
  if (feeds()) {
    const at::Tensor& like = cache.carried[0][0];
    cache.carried.push_back({at::zeros({rows, options_.d_model}, like.options())});
  }
  if (cross_attention == nullptr) return;
  cache.memory = {cross_attention->project(memory.states)};
  cache.memory_lengths = memory.lengths;
}

at::Tensor RecurrentDecoder::run(const at::Tensor& input, const at::Tensor& lengths,
                                 DecoderCache& cache) const {
  at::Tensor x = input;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (i > 0) x = heed::dropout(x, {.probability = probability()});
    std::vector<at::Tensor>& carried = cache.carried[i];
    RecurrentState state{.hidden = carried[0].unsqueeze(0)};
    if (carried.size() > 1) state.cell = carried[1].unsqueeze(0);
    x = layers[i]->forward(x, lengths, &state);
    carried[0] = state.hidden.squeeze(0);
    if (carried.size() > 1) carried[1] = state.cell.squeeze(0);
  }
  return x;
}

at::Tensor RecurrentDecoder::look(const at::Tensor& states, const Reading& reading) const {
  const Pattern pattern = reading.cache.memory_lengths.defined()
                              ? Pattern::padded({.key = reading.cache.memory_lengths})
                              : Pattern::full();
  return cross_attention->forward(states, reading.cache.memory[0], pattern, reading.trace);
}

at::Tensor RecurrentDecoder::joined(const at::Tensor& context, const at::Tensor& states) const {
  return readout->forward(at::cat({context, states}, -1)).tanh();
}

at::Tensor RecurrentDecoder::at_once(const at::Tensor& input, const Reading& reading) const {
  const at::Tensor states = run(input, reading.lengths, reading.cache);
  return cross_attention ? joined(look(states, reading), states) : states;
}

at::Tensor RecurrentDecoder::look_and_step(const at::Tensor& input, const Reading& reading) const {
  std::vector<at::Tensor> states;
  std::vector<at::Tensor> contexts;
  for (int64_t i = 0; i < input.size(1); ++i) {
    const at::Tensor before = reading.cache.carried[layers.size() - 1][0].unsqueeze(1);
    contexts.push_back(look(before, reading));
    states.push_back(run(at::cat({input.slice(1, i, i + 1), contexts.back()}, -1),
                         reading.lengths_at(i), reading.cache));
  }
  return readout->forward(at::cat({at::cat(states, 1), at::cat(contexts, 1), input}, -1))
      .unflatten(-1, {options_.d_model, 2})
      .amax(-1);
}

at::Tensor RecurrentDecoder::step_and_feed(const at::Tensor& input, const Reading& reading) const {
  std::vector<at::Tensor> outputs;
  for (int64_t i = 0; i < input.size(1); ++i) {
    at::Tensor& fed = reading.cache.carried.back()[0];
    const at::Tensor here = reading.lengths_at(i);
    const at::Tensor states =
        run(at::cat({input.slice(1, i, i + 1), fed.unsqueeze(1)}, -1), here, reading.cache);
    outputs.push_back(joined(look(states, reading), states));
    const at::Tensor output = outputs.back().squeeze(1);
    fed = here.defined()
              ? at::where(here.to(output.device()).unsqueeze(1).to(at::kBool), output, fed)
              : output;
  }
  return at::cat(outputs, 1);
}

at::Tensor RecurrentDecoder::forward(const at::Tensor& input, const DecoderContext& context) const {
  const c10::AutoGradMode gradients(at::GradMode::is_enabled() && context.cache == nullptr);
  DecoderCache none;
  DecoderCache& cache = context.cache != nullptr ? *context.cache : none;
  if (cache.carried.empty()) {
    check_usage(context.memory != nullptr, "recurrent decoder: expected a memory, got none");
    begin(*context.memory, input.size(0), cache);
  }
  Reading reading{.cache = cache, .trace = context.trace};
  if (context.cache != nullptr) reading.lengths = context.lengths;
  at::Tensor output;
  if (input.size(1) == 0) {
    output = input;
  } else if (looks_first() || feeds()) {
    GatheredLooks looks(context.trace);
    reading.trace = looks.trace();
    output = looks_first() ? look_and_step(input, reading) : step_and_feed(input, reading);
    looks.finish();
  } else {
    output = at_once(input, reading);
  }
  cache.advance(input.size(1), context.lengths);
  return heed::dropout(output, {.probability = probability()});
}

}  // namespace heed::nn
