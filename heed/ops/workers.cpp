#include "heed/ops/workers.h"

#include <ATen/Parallel.h>

namespace heed {

int TorchWorkers::count() const { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

void TorchWorkers::run(const std::function<void(int worker)>& body) const {
  at::parallel_for(0, count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t worker = begin; worker < end; ++worker) body(static_cast<int>(worker));
  });
}

}  // namespace heed
