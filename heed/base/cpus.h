// How many processors this process may compute on.
#pragma once

#include <optional>
#include <string>

namespace heed {

struct GrantedCpus {
  int count = 1;       // at least 1
  std::string reason;  // "the machine has 2 cores", "CPU affinity", "a CPU quota of its cgroup"
};

// The least of: the processors of the machine, those of this process's CPU affinity (taskset,
// cpusets), and the CPU quotas of its cgroup and of those around it, version 1 or 2 (containers,
// systemd's CPUQuota); a part of a processor counts as one. `root` is where /proc and the cgroups
// are looked for, for tests. Files that are not there or say something else set no limit.
GrantedCpus granted_cpus(const std::string& root = "");

// The quota of the cgroups alone, in processors; nothing where there is none.
std::optional<double> cgroup_quota(const std::string& root = "");

// What the environment variable OMP_NUM_THREADS asks for: "4", or "4,2" (the outermost level
// counts). Nothing where it is not set or is no positive number.
std::optional<int> omp_num_threads();

}  // namespace heed
