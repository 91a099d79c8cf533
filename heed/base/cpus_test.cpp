#include "heed/base/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace heed {
namespace {

namespace fs = std::filesystem;

// A directory that stands for /, with the files of a machine.
class Cpus : public ::testing::Test {
 protected:
  Cpus() : root_(fs::temp_directory_path() / ("heed_cpus_" + std::to_string(getpid()))) {
    fs::remove_all(root_);
  }
  ~Cpus() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void version2(const std::string& group, const std::string& mounted = "/") const {
    write("proc/self/cgroup", "0::" + group + "\n");
    write("proc/self/mountinfo",
          "22 1 0:20 / /proc rw - proc proc rw\n"
          "30 23 0:26 " +
              mounted + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  }
  std::optional<double> quota() const { return cgroup_quota(root_.string()); }

  fs::path root_;
};

TEST_F(Cpus, AQuotaOfVersion2) {
  version2("/jobs/mine");
  EXPECT_FALSE(quota());
  write("sys/fs/cgroup/jobs/mine/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  write("sys/fs/cgroup/jobs/mine/cpu.max", "max 100000\n");
  EXPECT_FALSE(quota());
}

TEST_F(Cpus, TheLeastOfAllAround) {
  version2("/jobs/mine");
  write("sys/fs/cgroup/jobs/mine/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/jobs/cpu.max", "100000 50000\n");
  EXPECT_EQ(quota(), 2);
  write("sys/fs/cgroup/cpu.max", "20000 100000\n");
  EXPECT_EQ(quota(), 0.2);
}

TEST_F(Cpus, AContainerSeesItsOwnAtTheRoot) {
  version2("/");
  write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3);
  version2("/docker/abc/sub", "/docker/abc");
  write("sys/fs/cgroup/sub/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
  version2("/another/of/the/host", "/docker/abc");
  EXPECT_EQ(quota(), 3);
}

TEST_F(Cpus, AQuotaOfVersion1) {
  write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/y\n0::/z\n");
  write("proc/self/mountinfo",
        "31 23 0:27 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "33 23 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
  EXPECT_FALSE(quota());
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  EXPECT_FALSE(quota());
}

TEST_F(Cpus, FilesThatSaySomethingElseSetNoLimit) {
  EXPECT_FALSE(quota());
  version2("relative");
  for (const char* text : {"", "\n", "x y\n", "100000\n", "100000 0\n", "-5 100000\n", "1 2 3\n"}) {
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_FALSE(quota()) << text;
  }
  write("proc/self/mountinfo", "- -\n - cgroup2\n1 2 3 4 5 - cgroup2\n");
  EXPECT_FALSE(quota());
}

TEST_F(Cpus, GrantedIsTheLeastOfAffinityAndQuota) {
  version2("/");
  write("sys/fs/cgroup/cpu.max", "20000 100000\n");
  EXPECT_EQ(granted_cpus(root_.string()).count, 1);
  write("sys/fs/cgroup/cpu.max", "100000000 100000\n");
  EXPECT_LE(granted_cpus(root_.string()).count, 1000);

  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(granted_cpus(root_.string()).count, CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(granted_cpus(root_.string()).count, 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(OmpNumThreads, APositiveNumberOfTheOutermostLevel) {
  const auto says = [](const char* text) {
    setenv("OMP_NUM_THREADS", text, 1);
    return omp_num_threads();
  };
  const char* before = std::getenv("OMP_NUM_THREADS");
  const std::string kept = before != nullptr ? before : "";
  EXPECT_EQ(says("3"), 3);
  EXPECT_EQ(says("4,2"), 4);
  for (const char* text : {"", "0", "-1", "many", "2x", "99999999999"}) EXPECT_FALSE(says(text));
  unsetenv("OMP_NUM_THREADS");
  EXPECT_FALSE(omp_num_threads());
  if (before != nullptr) setenv("OMP_NUM_THREADS", kept.c_str(), 1);
}

}  // namespace
}  // namespace heed
