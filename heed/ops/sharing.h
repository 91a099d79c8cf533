// Sharing out work on tensors among the threads of ops/threads.h, for layers whose loops are their
// own.
#pragma once

#include <cstdint>

#include "heed/kernels/vector/sharing.h"
#include "heed/ops/operator_workers.h"

namespace heed {

// As those of the kernels: body(task) for each in [0, count), body(begin, end) for stretches of it.
// `operations`: of floating point, in all; little work stays on the calling thread.
template <typename Body>
void for_each_task(int64_t count, double operations, const Body& body) {
  kernels::for_each_task(OperatorWorkers(), count, operations, body);
}

template <typename Body>
void for_each_stretch(int64_t count, double operations, const Body& body) {
  kernels::for_each_stretch(OperatorWorkers(), count, operations, body);
}

}  // namespace heed
