// Several processes that train one model: who they are, and what they tell each other, by torch's
// c10d: Gloo for tensors in CPU memory, NCCL for those of a CUDA device.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heed::training {

// One process among several, as torchrun and MPI launchers tell it.
struct Rank {
  int rank = 0;        // from 0
  int size = 1;        // of the group
  int local_rank = 0;  // among those on this machine
  int local_size = 1;
  std::string address = "127.0.0.1";  // where rank 0 listens
  uint16_t port = 29500;
};

// From RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT (torchrun), or
// from what Open MPI (OMPI_COMM_WORLD_…) and MPICH, Intel MPI (PMI_…) set instead of the first
// ones; none where there is but one process. Throws UsageError naming the variable that is missing
// or no number.
std::optional<Rank> rank_from_environment();

// Throws UsageError where several processes cannot exchange tensors of this device: CUDA needs a
// torch that was built with NCCL.
void check_group_device(at::Device device);

// The group. Every process calls the same functions in the same order; each call returns when all
// have made it. A process that has ended or does not answer makes the calls of all others throw
// IoError, which names its rank, within kPatience and a few seconds.
class ProcessGroup {
 public:
  static constexpr std::chrono::seconds kPatience{10};

  // Waits until all are there. Throws IoError after `timeout`.
  explicit ProcessGroup(const Rank& rank, std::chrono::seconds timeout = std::chrono::seconds(120));
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const;
  int size() const;
  int local_rank() const;  // among the processes on this machine
  bool is_first() const { return rank() == 0; }

  // A group of some of these processes, given by their ranks here, for messages that the others do
  // not take part in. All processes make their parts in the same order, each one that holds it.
  // This group must outlive it.
  std::unique_ptr<ProcessGroup> part(const std::vector<int>& ranks);

  // Sums of contiguous tensors, in place; the same bits in every process.
  void sum(at::Tensor values);

  // A sum that goes on while the caller does something else; ask for it with wait().
  class Pending {
   public:
    void wait();

   private:
    friend class ProcessGroup;
    struct State;
    std::shared_ptr<State> state_;
  };
  Pending sum_later(at::Tensor values);

  // The values of rank 0, in place; every process gives a tensor of the same shape.
  void broadcast(at::Tensor values);
  std::string broadcast(const std::string& text);

  // What each process gave, in the order of ranks, in rank 0; nothing in the others. Contiguous
  // tensors of the same shape.
  std::vector<at::Tensor> gather(const at::Tensor& values);

 private:
  struct Session;
  struct Connection;
  explicit ProcessGroup(std::shared_ptr<Connection> connection);
  std::shared_ptr<Connection> connection_;
};

}  // namespace heed::training
