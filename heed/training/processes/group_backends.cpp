#include "heed/training/processes/group_backends.h"

// What the headers of torch's wheel are written for, but its own macros leave out.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

// HEED_NCCL: the torch that is linked has NCCL, and the headers of both are there.
#ifdef HEED_NCCL
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <chrono>

#include "heed/base/error.h"
#include "heed/training/processes/process_group.h"

namespace heed::training {
namespace {

// The backends' own limit is longer than any step: who is gone, the heartbeats say.
constexpr std::chrono::hours kLongest(24);

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::seconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
  auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
  gloo->setTimeout(kLongest);
  return gloo;
}

#ifdef HEED_NCCL

void check_group_device(at::Device /*device*/) {}

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = kLongest;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(
      c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, options);
}

#else

void check_group_device(at::Device device) {
  check_usage(device.is_cpu(), "several processes: expected --device cpu, got ", device,
              ": that needs NCCL, and this Heed was built with a torch that has none; build it ",
              "with a CUDA build of torch");
}

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& /*store*/,
                                            int /*rank*/, int /*size*/) {
  check_group_device(at::kCUDA);
  return {};
}

#endif

}  // namespace heed::training
