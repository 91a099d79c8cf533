#include "heed/kernels/element_dropout.h"

#include <algorithm>
#include <array>

#include "heed/kernels/isa.h"
#include "heed/kernels/tasks.h"

namespace heed::kernels {
namespace {

// Of the places in a run: the same for every seed, as the keys of the runs differ.
const std::array<uint32_t, kDropoutRun>& place_keys() {
  static const auto keys = [] {
    std::array<uint32_t, kDropoutRun> filled{};
    fill_dropout_keys(0, 0, DropoutAxis::kKey, kDropoutRun, filled.data());
    return filled;
  }();
  return keys;
}

uint32_t run_key(const Dropout& dropout, int64_t run) {
  return dropout_key(dropout.seed, 0, DropoutAxis::kQuery, static_cast<uint64_t>(run));
}

}  // namespace

bool element_is_kept(const Dropout& dropout, int64_t element) {
  const uint32_t hash = dropout_mix(run_key(dropout, element / kDropoutRun),
                                    place_keys()[static_cast<size_t>(element % kDropoutRun)]);
  return hash >= dropout_threshold(dropout.probability);
}

void element_dropout(const ElementDropout& p, const Workers& workers) {
  constexpr int64_t kTaskRuns = 16;
  const auto& table = HEED_PICK_ISA(kElementDropoutTable);
  const int64_t runs = (p.count + kDropoutRun - 1) / kDropoutRun;
  const double factor = 1.0 / (1.0 - static_cast<double>(p.dropout.probability));
  const double operations = 20.0 * static_cast<double>(p.count);
  for_each_task(workers, (runs + kTaskRuns - 1) / kTaskRuns, operations, [&](int64_t task) {
    for (int64_t run = task * kTaskRuns; run < std::min(runs, (task + 1) * kTaskRuns); ++run) {
      table.apply({.problem = &p,
                   .begin = run * kDropoutRun,
                   .count = std::min(kDropoutRun, p.count - run * kDropoutRun),
                   .run_key = run_key(p.dropout, run),
                   .place_keys = place_keys().data(),
                   .threshold = dropout_threshold(p.dropout.probability),
                   .factor = static_cast<float>(factor)});
    }
  });
}

}  // namespace heed::kernels
