#include "heed/ops/threads.h"

#include <ATen/Parallel.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/base/thread_pool.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/operator_workers.h"

namespace heed {
namespace {

// Null: torch's threads. Never destroyed when the program ends, as its threads sleep then.
ThreadPool* own_pool = nullptr;
int torch_threads = 0;  // how many torch had before

}  // namespace

void set_threads(int count) {
  check_usage(count >= 0, "threads: expected 1 or more, or 0 for torch's, got ", count);
  if (torch_threads == 0) torch_threads = at::get_num_threads();
  delete std::exchange(own_pool, nullptr);
  const bool own = count > 0 && linear_engine() == LinearEngine::kOwn;
  at::set_num_threads(own ? 1 : count > 0 ? count : std::exchange(torch_threads, 0));
  if (own) own_pool = new ThreadPool(count);
}

int threads() { return OperatorWorkers().count(); }

int OperatorWorkers::count() const {
  if (own_pool != nullptr) return own_pool->count();
  return at::in_parallel_region() ? 1 : at::get_num_threads();
}

void OperatorWorkers::run(const std::function<void(int worker)>& body) const {
  if (own_pool != nullptr) {
    return own_pool->run([&](int worker) {
      // OpenMP and MKL count the threads that they may take for each thread apart.
      thread_local const bool told = (at::init_num_threads(), true);
      (void)told;
      body(worker);
    });
  }
  at::parallel_for(0, count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t worker = begin; worker < end; ++worker) body(static_cast<int>(worker));
  });
}

}  // namespace heed
