#include "heed/kernels/attention/attention.h"

#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/rows/row_engine.h"

namespace heed::kernels {
namespace {

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
     .backward = tile_backward},
};

}  // namespace

void attention_forward(const Problem& problem, const ForwardResult& result,
                       const Workers& workers) {
  for (const Engine& engine : kEngines) {
    if (engine.refuses_forward(problem) == nullptr) {
      return engine.forward(problem, result, workers);
    }
  }
}

void attention_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  for (const Engine& engine : kEngines) {
    if (engine.refuses_backward(problem, args) == nullptr) {
      return engine.backward(problem, args, workers);
    }
  }
}

}  // namespace heed::kernels
