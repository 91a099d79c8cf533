// The weights of attention and what they look like in all as torch operators, for Python:
//
//   heed::attention_weights(query, key, *, …, heads, queries)
//   heed::top_weights(query, key, count, *, …) -> (values, keys)
//   heed::block_weights(query, key, query_block, key_block, *, …)
//   heed::column_weights, heed::row_entropies(query, key, *, …)
//
// `…` are the options of heed::attention. None has gradients. heed/ops/attention_weights.h says
// what they give.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/library.h>

#include "heed/base/error.h"
#include "heed/ops/attention/meta.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention_weights.h"

namespace heed {
namespace {

using torch::jit::Stack;
using Values = at::ArrayRef<c10::IValue>;
using Handle = c10::OperatorHandle;
using Results = std::vector<at::Tensor>;
using Symbols = std::vector<c10::SymInt>;

constexpr size_t kOptionCount = kForwardArguments - kScore;

// What attention itself would get: the query, the key, and the options from `first` on.
Stack attention_arguments(Values arguments, size_t first) {
  Stack stack{arguments[0], arguments[1], arguments[1]};
  for (const auto& option : arguments.slice(first, kOptionCount)) stack.push_back(option);
  return stack;
}

AttentionCall weights_call(Values arguments, size_t first) {
  return call_of(attention_arguments(arguments, first));
}

AttendedTokens attended(Values arguments, size_t first) {
  const auto call = weights_call(arguments, first);
  check_usage(call.key.dim() == 4, "attention weights: key must be (B, Hk, Nk, D), got ",
              call.key.dim(), " dimensions");
  return {.query = call.query, .key = call.key, .options = call.options, .result = {}};
}

std::vector<int64_t> numbers(const c10::IValue& value) {
  return value.isNone() ? std::vector<int64_t>() : value.toIntVector();
}

at::Tensor shaped(Values in, const Symbols& sizes) {
  const auto& query = in[0].toTensor();
  const auto type = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::empty_symint(sizes, query.options().dtype(type));
}

// (B, H, Nq) and what follows.
at::Tensor by_query(Values in, const Symbols& rest) {
  auto sizes = in[0].toTensor().sym_sizes().slice(0, 3).vec();
  sizes.insert(sizes.end(), rest.begin(), rest.end());
  return shaped(in, sizes);
}

c10::SymInt blocks(const c10::SymInt& count, int64_t block) {
  return (count + (block - 1)) / block;
}

struct AttentionWeightsOp {
  static constexpr size_t kFirstOption = 2;
  static Results compute(Values in) {
    const auto call = weights_call(in, kFirstOption);
    return {attention_weights(call.query, call.key, call.options,
                              {.heads = numbers(in[kFirstOption + kOptionCount]),
                               .queries = numbers(in[kFirstOption + kOptionCount + 1])})};
  }
  static Results meta(Values in) {
    auto sizes = in[0].toTensor().sym_sizes().vec();
    sizes[3] = in[1].toTensor().sym_size(2);
    for (const size_t i : {0, 1}) {
      const auto chosen = numbers(in[kFirstOption + kOptionCount + i]);
      if (!chosen.empty()) sizes[i + 1] = static_cast<int64_t>(chosen.size());
    }
    return {shaped(in, sizes)};
  }
};

struct TopWeightsOp {
  static constexpr size_t kFirstOption = 3;
  static Results compute(Values in) {
    const auto top = top_weights(attended(in, kFirstOption), in[2].toInt());
    return {top.values, top.keys};
  }
  static Results meta(Values in) {
    check_usage(in[2].toInt() >= 1, "top_weights: count ", in[2].toInt(), " must be 1 or more");
    const auto values = by_query(in, {in[2].toInt()});
    return {values, at::empty_like(values, at::kLong)};
  }
};

struct BlockWeightsOp {
  static constexpr size_t kFirstOption = 4;
  static Results compute(Values in) {
    return {block_weights(attended(in, kFirstOption),
                          {.queries = in[2].toInt(), .keys = in[3].toInt()})};
  }
  static Results meta(Values in) {
    check_usage(in[2].toInt() >= 1 && in[3].toInt() >= 1, "block_weights: blocks of ",
                in[2].toInt(), " × ", in[3].toInt(), ": each must be 1 or more");
    auto sizes = in[0].toTensor().sym_sizes().vec();
    sizes[2] = blocks(sizes[2], in[2].toInt());
    sizes[3] = blocks(in[1].toTensor().sym_size(2), in[3].toInt());
    return {shaped(in, sizes)};
  }
};

struct ColumnWeightsOp {
  static constexpr size_t kFirstOption = 2;
  static Results compute(Values in) { return {column_weights(attended(in, kFirstOption))}; }
  static Results meta(Values in) {
    auto sizes = in[0].toTensor().sym_sizes().slice(0, 3).vec();
    sizes[2] = in[1].toTensor().sym_size(2);
    return {shaped(in, sizes)};
  }
};

struct RowEntropiesOp {
  static constexpr size_t kFirstOption = 2;
  static Results compute(Values in) { return {row_entropies(attended(in, kFirstOption))}; }
  static Results meta(Values in) { return {by_query(in, {})}; }
};

template <class Op>
struct Kernels {
  static void run(const Handle& handle, Stack* stack, Results (*results_of)(Values)) {
    const size_t count = handle.schema().arguments().size();
    const auto results = results_of(Values(*stack).slice(stack->size() - count));
    stack->resize(stack->size() - count);
    for (const auto& result : results) stack->emplace_back(result);
  }
  static void forward(const Handle& handle, Stack* stack) {
    const at::NoGradGuard no_grad;
    run(handle, stack, Op::compute);
  }
  static void meta(const Handle& handle, Stack* stack) {
    run(handle, stack, [](Values in) {
      check_meta(attention_arguments(in, Op::kFirstOption));
      return Op::meta(in);
    });
  }
  static void autograd(const Handle& handle, Stack* stack) {
    const at::AutoDispatchBelowADInplaceOrView below;
    handle.callBoxed(stack);
  }
  // What attention gets under autocast, its weights get too.
  static void autocast(const Handle& handle, Stack* stack) {
    const size_t first = stack->size() - handle.schema().arguments().size();
    const auto device = (*stack)[first].toTensor().device().type();
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    for (size_t i = first; i < first + 2; ++i) {
      (*stack)[i] = at::autocast::cached_cast(at::autocast::get_autocast_dtype(device),
                                              (*stack)[i].toTensor(), device);
    }
    handle.callBoxed(stack);
  }

  static void define(torch::Library& library, const char* name, const std::string& before,
                     const std::string& after) {
    const auto schema =
        text_of(name, "(Tensor query, Tensor key", before, ", *, ", kOptionsSchema, after);
    library.def(schema.c_str(), {at::Tag::pt2_compliant_tag});
    const auto implement = [&]<void (*kernel)(const Handle&, Stack*)>(c10::DispatchKey key) {
      library.impl(name, torch::dispatch(key, torch::CppFunction::makeFromBoxedFunction<kernel>()));
    };
    using DispatchKey = c10::DispatchKey;
    implement.template operator()<&Kernels::forward>(DispatchKey::CompositeExplicitAutograd);
    implement.template operator()<&Kernels::forward>(DispatchKey::CPU);
    implement.template operator()<&Kernels::meta>(DispatchKey::Meta);
    implement.template operator()<&Kernels::autograd>(DispatchKey::Autograd);
    implement.template operator()<&Kernels::autocast>(DispatchKey::AutocastCPU);
    implement.template operator()<&Kernels::autocast>(DispatchKey::AutocastCUDA);
  }
};

}  // namespace

TORCH_LIBRARY_FRAGMENT(heed, library) {
  Kernels<AttentionWeightsOp>::define(library, "attention_weights", "",
                                      ", int[]? heads=None, int[]? queries=None) -> Tensor");
  Kernels<TopWeightsOp>::define(library, "top_weights", ", int count",
                                ") -> (Tensor values, Tensor keys)");
  Kernels<BlockWeightsOp>::define(library, "block_weights", ", int query_block, int key_block",
                                  ") -> Tensor");
  Kernels<ColumnWeightsOp>::define(library, "column_weights", "", ") -> Tensor");
  Kernels<RowEntropiesOp>::define(library, "row_entropies", "", ") -> Tensor");
}

}  // namespace heed
