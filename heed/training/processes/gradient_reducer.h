// Gradients summed over the processes of a group while the backward pass still goes on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/training/processes/process_group.h"

namespace heed::training {

struct GradientReducerOptions {
  int64_t bucket_bytes = 4 << 20;  // gradients that travel together
};

// Parameters stand in buckets in the reverse of their order, about the order in which the backward
// pass finishes them; the sum of a bucket starts as soon as its gradients and all buckets before it
// are there.                                                                      Li et al. 2020
class GradientReducer {
 public:
  GradientReducer(std::vector<at::Tensor> parameters, ProcessGroup& group,
                  const GradientReducerOptions& options = {});
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  // Call before the last backward pass of an update: the gradients that it completes are multiplied
  // by `weight` and sent.
  void begin(double weight);

  // Sends what is left (a parameter without a gradient counts as zeros). A process with no batch
  // calls it too, after begin(0).
  void send_rest();

  // send_rest(), and waits: each gradient is then the sum over the processes, in memory that the
  // next update takes again.
  void finish();

  int64_t buckets() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace heed::training
