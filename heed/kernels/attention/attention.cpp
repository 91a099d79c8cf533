#include "heed/kernels/attention/attention.h"

#include <string>
#include <vector>

#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/rows/row_engine.h"
#include "heed/kernels/attention/verbose.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {
namespace {

// The backward pass of the tiles. Where few queries were attended by the decode engine, which
// rounds a score at another place, its log-sum-exp does not fit large logits of the tiles: they
// make their own.
void tiles_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  if (decode_refuses_forward(problem) != nullptr) return tile_backward(problem, args, workers);
  const Shape& s = problem.shape;
  const auto rows = static_cast<size_t>(s.batch * s.heads * s.queries);
  std::vector<float> log_sum_exp(rows), rest(rows);
  std::vector<float> output(rows * static_cast<size_t>(s.value_size));  // or of bfloat16
  ForwardResult result;
  result.output = {output.data(), s.heads * s.queries * s.value_size, s.queries * s.value_size,
                   s.value_size};
  result.log_sum_exp = log_sum_exp.data();
  result.log_sum_exp_rest = rest.data();
  tile_forward(problem, result, workers);
  BackwardArgs own = args;
  own.output = {output.data(), result.output.batch, result.output.head, result.output.row};
  own.log_sum_exp = log_sum_exp.data();
  own.log_sum_exp_rest = rest.data();
  tile_backward(problem, own, workers);
}

// Best first. The tile engine takes everything.
constexpr Engine kEngines[] = {
    {.name = "rows",
     .refuses_forward = rows_refuse_forward,
     .refuses_backward = rows_refuse_backward,
     .forward = rows_forward,
     .backward = rows_backward},
    {.name = "decode",
     .refuses_forward = decode_refuses_forward,
     .refuses_backward = decode_refuses_backward,
     .forward = decode_forward,
     .backward = nullptr},
    {.name = "tiles",
     .refuses_forward = [](const Problem&) -> const char* { return nullptr; },
     .refuses_backward = [](const Problem&, const BackwardArgs&) -> const char* { return nullptr; },
     .forward = tile_forward,
     .backward = tiles_backward},
};

// The first engine that does not refuse: `refuses(engine)` is null where it takes the problem, and
// the last one takes everything.
template <typename Refuses>
const Engine& chosen(const char* direction, const Problem& problem, const Workers& workers,
                     Refuses refuses) {
  std::string refusals;
  const Engine* engine = kEngines;
  for (; const char* reason = refuses(*engine); ++engine) {
    if (is_verbose()) refusals += std::string("; not ") + engine->name + ": " + reason;
  }
  if (is_verbose()) {
    say_verbose(std::string("attention ") + direction + ": engine " + engine->name + ", " +
                isa_name() + ", " + std::to_string(workers.count()) + " threads; " +
                described(problem) + refusals);
  }
  return *engine;
}

}  // namespace

void attention_forward(const Problem& problem, const ForwardResult& result,
                       const Workers& workers) {
  chosen("forward", problem, workers, [&](const Engine& engine) {
    return engine.refuses_forward(problem);
  }).forward(problem, result, workers);
}

void attention_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  chosen("backward", problem, workers, [&](const Engine& engine) {
    return engine.refuses_backward(problem, args);
  }).backward(problem, args, workers);
}

}  // namespace heed::kernels
