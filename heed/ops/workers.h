// torch's threads for Heed's kernels: as many as at::get_num_threads() says.
#pragma once

#include "heed/base/workers.h"

namespace heed {

// Workers over at::parallel_for. One where the caller is itself inside a parallel region.
class TorchWorkers final : public Workers {
 public:
  int count() const override;
  void run(const std::function<void(int worker)>& body) const override;
};

}  // namespace heed
