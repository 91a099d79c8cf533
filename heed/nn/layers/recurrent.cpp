#include "heed/nn/layers/recurrent.h"

#include <ATen/ATen.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <optional>
#include <tuple>

#include "heed/base/error.h"
#include "heed/nn/layers/subsampling.h"
#include "heed/nn/parameters/init.h"

namespace heed::nn {
namespace {

// cuDNN wants its weights as one piece of memory and warns at each call where they are not, though
// it then copies them itself.
class NoWarnings {
 public:
  explicit NoWarnings(bool wanted) {
    if (wanted) guard_.emplace(&handler_);
  }

 private:
  struct Handler final : c10::WarningHandler {
    void process(const c10::Warning& /*warning*/) override {}
  };
  Handler handler_;
  std::optional<c10::WarningUtils::WarningHandlerGuard> guard_;
};

void select_rows(RecurrentState& state, const at::Tensor& rows) {
  state.hidden = state.hidden.index_select(1, rows);
  if (state.cell.defined()) state.cell = state.cell.index_select(1, rows);
}

}  // namespace

std::vector<std::string> recurrent_cells() { return {"gru", "lstm"}; }

Recurrent::Recurrent(const RecurrentOptions& options) : options_(options) {
  check_usage(options.cell == "gru" || options.cell == "lstm",
              "recurrent layer: expected a cell of gru or lstm, got '", options.cell, "'");
  check_usage(options.input_size > 0 && options.hidden_size > 0,
              "recurrent layer: expected sizes above 0, got ", options.input_size, " and ",
              options.hidden_size);
  const int64_t rows = (options.cell == "gru" ? 3 : 4) * options.hidden_size;
  const double reach = 1 / std::sqrt(static_cast<double>(options.hidden_size));
  const c10::AutoGradMode no_gradients(false);
  for (const char* direction : {"", "_reverse"}) {
    if (std::ssize(weights) == 4 * directions()) break;
    const auto add = [&](const char* name, at::IntArrayRef shape) {
      at::Tensor weight = at::empty(shape);
      if (init_is_on()) weight.uniform_(-reach, reach);
      weights.push_back(register_parameter(text_of(name, "_l0", direction), weight));
    };
    add("weight_ih", {rows, options.input_size});
    add("weight_hh", {rows, options.hidden_size});
    add("bias_ih", {rows});
    add("bias_hh", {rows});
  }
}

RecurrentState Recurrent::begin(const at::Tensor& input, const RecurrentState* state) const {
  RecurrentState first = state != nullptr ? *state : RecurrentState{};
  const auto zeros = [&] {
    return at::zeros({directions(), input.size(0), options_.hidden_size}, input.options());
  };
  if (!first.hidden.defined()) first.hidden = zeros();
  if (options_.cell == "lstm" && !first.cell.defined()) first.cell = zeros();
  check_usage(first.hidden.size(1) == input.size(0), "recurrent layer: a state of ",
              first.hidden.size(1), " rows came with ", input.size(0));
  first.hidden = first.hidden.to(input.scalar_type());
  if (first.cell.defined()) first.cell = first.cell.to(input.scalar_type());
  return first;
}

at::Tensor Recurrent::run(const at::Tensor& input, const at::Tensor& sizes,
                          RecurrentState& state) const {
  constexpr bool kBiases = true;
  constexpr int64_t kLayers = 1;
  constexpr double kDropout = 0;
  // cuDNN keeps what its backward pass needs in training alone.
  const bool train = at::GradMode::is_enabled();
  const bool both = options_.bidirectional;
  const NoWarnings quiet(input.is_cuda());
  at::Tensor output;
  if (options_.cell == "gru") {
    std::tie(output, state.hidden) =
        sizes.defined()
            ? at::gru(input, sizes, state.hidden, weights, kBiases, kLayers, kDropout, train, both)
            : at::gru(input, state.hidden, weights, kBiases, kLayers, kDropout, train, both,
                      /*batch_first=*/true);
    return output;
  }
  const std::vector<at::Tensor> first = {state.hidden, state.cell};
  std::tie(output, state.hidden, state.cell) =
      sizes.defined()
          ? at::lstm(input, sizes, first, weights, kBiases, kLayers, kDropout, train, both)
          : at::lstm(input, first, weights, kBiases, kLayers, kDropout, train, both,
                     /*batch_first=*/true);
  return output;
}

// torch reads rows of different lengths together where the longest comes first.
at::Tensor Recurrent::run_packed(const at::Tensor& input, const at::Tensor& lengths,
                                 RecurrentState& state) const {
  const auto [sorted, order] = at::sort(lengths, /*stable=*/true, /*dim=*/0, /*descending=*/true);
  const at::Tensor rows = order.to(input.device());
  const at::Tensor back = order.argsort().to(input.device());
  const auto [data, sizes] = at::_pack_padded_sequence(input.index_select(0, rows), sorted,
                                                       /*batch_first=*/true);
  select_rows(state, rows);
  const at::Tensor packed = run(data, sizes, state);
  select_rows(state, back);
  const auto padded =
      at::_pad_packed_sequence(packed, sizes, /*batch_first=*/true, 0.0, input.size(1));
  return std::get<0>(padded).index_select(0, back);
}

at::Tensor Recurrent::forward(const at::Tensor& given_input, const at::Tensor& lengths,
                              RecurrentState* state) const {
  check_usage(given_input.dim() == 3 && given_input.size(2) == options_.input_size,
              "recurrent layer: expected an input (B, N, ", options_.input_size, "), got ",
              given_input.sizes());
  // Of autocast the input has another dtype than the weights; a state that is added to many times
  // keeps that of the weights.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const at::Tensor input = given_input.to(weights[0].scalar_type());
  RecurrentState now = begin(input, state);
  if (input.numel() == 0) {
    if (state != nullptr) *state = now;
    return at::zeros({input.size(0), input.size(1), directions() * options_.hidden_size},
                     input.options());
  }
  const at::Tensor given = lengths.defined() ? lengths.cpu() : at::Tensor();
  const int64_t shortest = given.defined() ? given.min().item<int64_t>() : input.size(1);
  if (shortest == input.size(1)) {
    const at::Tensor output = run(input, {}, now);
    if (state != nullptr) *state = now;
    return output;
  }
  // A row of nothing is read as one of a token, and what that gave is left out again.
  const RecurrentState before = now;
  at::Tensor output = run_packed(input, given.clamp_min(1), now);
  if (shortest < 1) {
    const at::Tensor empty = (given < 1).to(input.device()).view({1, -1, 1});
    output = without_padding(output, given.to(input.device()));
    now.hidden = at::where(empty, before.hidden, now.hidden);
    if (now.cell.defined()) now.cell = at::where(empty, before.cell, now.cell);
  }
  if (state != nullptr) *state = now;
  return output;
}

}  // namespace heed::nn
