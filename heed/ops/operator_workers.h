// How operators share their work among the threads of ops/threads.h.
#pragma once

#include <functional>

#include "heed/base/workers.h"

namespace heed {

// What operators hand to kernels; one worker where the caller is itself one.
class OperatorWorkers final : public Workers {
 public:
  int count() const override;
  void run(const std::function<void(int worker)>& body) const override;
};

}  // namespace heed
