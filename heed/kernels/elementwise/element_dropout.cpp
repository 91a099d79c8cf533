#include "heed/kernels/elementwise/element_dropout.h"

#include <algorithm>
#include <array>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/vector/sharing.h"

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

// Elements begin … begin + count − 1, which stand at `place` and behind it for the mask.
void apply_runs(const ElementDropout& p, int64_t begin, int64_t count, int64_t place) {
  const auto& table = HEED_PICK_ISA(kElementDropoutTable);
  const double factor = 1.0 / (1.0 - p.dropout.probability);
  for (const int64_t end = begin + count; begin < end;) {
    const int64_t inside = place % kDropoutRun;
    const int64_t now = std::min(kDropoutRun - inside, end - begin);
    table.apply({.problem = &p,
                 .begin = begin,
                 .count = now,
                 .run_key = run_key(p.dropout, place / kDropoutRun),
                 .place_keys = place_keys().data() + inside,
                 .threshold = dropout_threshold(p.dropout.probability),
                 .factor = static_cast<float>(factor)});
    begin += now;
    place += now;
  }
}

}  // namespace

bool element_is_kept(const Dropout& dropout, int64_t element) {
  const uint32_t hash = dropout_mix(run_key(dropout, element / kDropoutRun),
                                    place_keys()[static_cast<size_t>(element % kDropoutRun)]);
  return hash >= dropout_threshold(dropout.probability);
}

void element_dropout(const ElementDropout& p, const Workers& workers) {
  const bool wider = p.columns.count > 0;
  // Rows of a wider matrix, or stretches of some runs.
  const int64_t stretch = wider ? p.columns.count : 16 * kDropoutRun;
  const int64_t rows = wider ? std::max<int64_t>(1, 16 * kDropoutRun / stretch) : 1;  // of a task
  const int64_t stretches = div_up(p.count, stretch);
  const double operations = 20.0 * static_cast<double>(p.count);
  for_each_task(workers, div_up(stretches, rows), operations, [&](int64_t task) {
    for (int64_t row = task * rows; row < std::min(stretches, (task + 1) * rows); ++row) {
      const int64_t begin = row * stretch;
      const int64_t place = wider ? row * p.columns.whole + p.columns.first : begin;
      apply_runs(p, begin, std::min(stretch, p.count - begin), place);
    }
  });
}

}  // namespace heed::kernels
