// The torch operators behind heed::attention.
//
//   heed::attention(query, key, value, *, score, score_parameter, …)
//     -> (output, log_sum_exp, log_sum_exp_rest)
//   heed::attention_backward(the same, *, …, grad_output, grad_log_sum_exp, output, log_sum_exp,
//                            log_sum_exp_rest, wanted)
//     -> (7 gradients; undefined where not wanted)
//
// Both are registered for the CPU, for other devices, for Meta (shapes only), for Autograd and for
// Autocast. They are called through stacks of values in the order of `Argument`, so that the long
// list of arguments is written down once: in the schema.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <array>
#include <tuple>

#include "heed/ops/attention.h"

namespace heed {

// The schema of the options, those that follow query, key and value. `dropout_seed_tensor`, an
// int64 tensor of one value, takes the place of `dropout_seed`, so that a seed can be drawn inside
// a traced graph.
inline constexpr char kOptionsSchema[] =
    "str score='scaled_dot', Tensor? score_parameter=None, float? scale=None, float softcap=0., "
    "Tensor? alibi_slopes=None, Tensor? relative_table=None, Tensor? bias=None, "
    "str alignment='bottom_right', str pattern='full', Tensor[]? pattern_tensors=None, "
    "int[]? pattern_numbers=None, float dropout=0., int dropout_seed=0, "
    "int dropout_first_head=0, int dropout_heads=0, Tensor? dropout_seed_tensor=None";

enum Argument : size_t {
  kQuery,
  kKey,
  kValue,
  kScore,
  kScoreParameter,
  kScale,
  kSoftcap,
  kAlibiSlopes,
  kRelativeTable,
  kBias,
  kAlignment,
  kPattern,
  kPatternTensors,
  kPatternNumbers,
  kDropout,
  kDropoutSeed,
  kDropoutFirstHead,
  kDropoutHeads,
  kDropoutSeedTensor,
  kForwardArguments,
  // Of attention_backward alone:
  kGradOutput = kForwardArguments,
  kGradLogSumExp,
  kOutput,
  kLogSumExp,
  kLogSumExpRest,
  kWanted,
  kBackwardArguments,
};

// The arguments that have gradients, in the order of the results of attention_backward.
inline constexpr std::array<Argument, 7> kDifferentiable = {
    kQuery, kKey, kValue, kScoreParameter, kAlibiSlopes, kRelativeTable, kBias};

// Those of four dimensions: their gradients have the strides of empty_by_rows(), the others are
// contiguous.
constexpr bool has_rows(Argument argument) { return argument <= kValue; }

// A value for each of kDifferentiable.
template <typename T>
class PerInput {
 public:
  T& operator[](Argument input) { return values_.at(slot_of(input)); }
  const T& operator[](Argument input) const { return values_.at(slot_of(input)); }
  // In the order of kDifferentiable.
  const std::array<T, kDifferentiable.size()>& values() const { return values_; }

 private:
  static constexpr size_t slot_of(Argument input) {
    size_t slot = 0;
    while (slot < kDifferentiable.size() && kDifferentiable[slot] != input) ++slot;
    return slot;
  }

  std::array<T, kDifferentiable.size()> values_{};
};
using Gradients = PerInput<at::Tensor>;

// The last values of a stack, and results in their place.
inline at::ArrayRef<c10::IValue> top(const torch::jit::Stack& stack, size_t count) {
  return at::ArrayRef<c10::IValue>(stack).slice(stack.size() - count, count);
}
void replace_top(torch::jit::Stack& stack, size_t count, at::ArrayRef<at::Tensor> results);

const c10::OperatorHandle& attention_operator();
const c10::OperatorHandle& attention_backward_operator();

// What stands on a stack, as plain values.
struct AttentionCall {
  at::Tensor query;
  at::Tensor key;
  at::Tensor value;
  AttentionOptions options;
};
// Where the tensor of an argument of kDifferentiable stands in a call; null where the call has no
// room for it.
at::Tensor* input_of(AttentionCall& call, Argument input);
const at::Tensor* input_of(const AttentionCall& call, Argument input);

torch::jit::Stack stack_of(const AttentionCall& call);
// Reads the forward's arguments; throws UsageError for an unknown pattern, score or alignment.
AttentionCall call_of(at::ArrayRef<c10::IValue> arguments);

struct AttentionBackwardCall {
  AttentionCall forward;
  at::Tensor grad_output;       // undefined: zero
  at::Tensor grad_log_sum_exp;  // undefined: zero
  at::Tensor output;
  at::Tensor log_sum_exp;
  at::Tensor log_sum_exp_rest;
  PerInput<bool> wanted;
};
torch::jit::Stack stack_of(const AttentionBackwardCall& call);
PerInput<bool> wanted_of(at::ArrayRef<c10::IValue> arguments);  // of those that are there
AttentionBackwardCall backward_call_of(at::ArrayRef<c10::IValue> arguments);

// The ways that a call may be computed, best first. `refuses` is null where a way takes the call,
// else why not.
//
// The fused kernels: float32 and bfloat16 on the CPU.
const char* fused_refuses(const AttentionCall& call);
//
// Nobody but a backward pass reads log_sum_exp_rest: without `keeps_rest` it stays undefined, which
// saves a call of one query a quarter of what it costs beside the kernels.
AttentionResult fused_forward(const AttentionCall& call, bool keeps_rest = true);
Gradients fused_backward(const AttentionBackwardCall& call);

// torch's own fused attention on a CUDA device, where the request fits it.
const char* torch_fused_refuses(const AttentionCall& call);
const char* torch_fused_refuses(const AttentionBackwardCall& call);
AttentionResult torch_fused_forward(const AttentionCall& call);
Gradients torch_fused_backward(const AttentionBackwardCall& call);

// attention_math, after a check of the pattern where it lies on the CPU; and once more, with
// autograd.
AttentionResult math_forward(const AttentionCall& call);
Gradients math_backward(const AttentionBackwardCall& call);

// HEED_VERBOSE=1: what computes a call that does not reach the kernels (they say it themselves),
// and why the ways before it refused; null: not asked, or taken.
struct Refusals {
  const char* fused = nullptr;
  const char* torch = nullptr;
};
void say_engine(const char* pass, const char* engine, const AttentionCall& call,
                const Refusals& refusals);

// The straight way: past torch's dispatcher, on which arguments are packed and the pattern becomes
// a text and is read again, which takes as long as the kernels do where a call is small. Open where
// torch itself would do nothing but autograd: every tensor lies in the memory of the CPU and stands
// for nothing else, and no mode, transform or profiler looks at what is called.
bool goes_straight(const AttentionCall& call);
bool goes_straight(const AttentionBackwardCall& call);
bool goes_straight(at::ArrayRef<c10::IValue> arguments);  // whatever fused_refuses() says
// The kernels, with a backward pass where one is asked for.
AttentionResult fused_attention(const AttentionCall& call);

// The kernels of both operators for Autograd.
void autograd_forward(const c10::OperatorHandle& handle, torch::jit::Stack* stack);
void autograd_backward(const c10::OperatorHandle& handle, torch::jit::Stack* stack);

// An uninitialised (B, H, N, size) whose rows of all heads lie side by side in memory, so that a
// layer may take it for (B, N, H · size) without a copy. All results with four dimensions have
// these strides, whatever made them, because Meta promises them.
at::Tensor empty_by_rows(at::IntArrayRef shape, const at::TensorOptions& options);

// Does nothing, in register.cpp: whoever calls an operator calls this first, so that a linker does
// not leave the registration in its archive.
void link_registration();

}  // namespace heed
