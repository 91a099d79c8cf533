#include "heed/kernels/attention/attention.h"

#include <string>
#include <vector>

#include "heed/base/format.h"
#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/rows/row_engine.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/verbose.h"

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

std::string pair_of(int64_t a, int64_t b) {
  std::string text = std::to_string(a);
  if (b != a) text += "/" + std::to_string(b);
  return text;
}

// "B8 H12/4 N512 D64 float32 dot, full, softcap, alibi, dropout 0.1"
std::string described(const Problem& p) {
  std::string text = "B" + std::to_string(p.shape.batch) + " H" +
                     pair_of(p.shape.heads, p.shape.key_heads) + " N" +
                     pair_of(p.shape.queries, p.shape.keys) + " D" +
                     pair_of(p.shape.size, p.shape.value_size) +
                     (p.type == DataType::kFloat32 ? " float32 " : " bfloat16 ") + p.score.name;
  text += p.pattern == nullptr ? ", full" : ", with a pattern";
  if (p.modifiers.softcap > 0) text += ", softcap";
  if (p.modifiers.alibi_slopes != nullptr) text += ", alibi";
  if (p.modifiers.relative.table != nullptr) text += ", relative bias";
  if (p.modifiers.dense.data != nullptr) text += ", bias";
  if (p.dropout.probability > 0) text += formatted(", dropout %g", p.dropout.probability);
  return text;
}

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
