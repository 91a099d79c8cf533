#include "heed/base/cpus.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "heed/base/error.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace heed {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool has_word(const std::string& list, std::string_view word) {
  std::istringstream stream(list);
  for (std::string each; std::getline(stream, each, ',');) {
    if (each == word) return true;
  }
  return false;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Where a hierarchy of cgroups that knows of CPU time is mounted, as in proc(5): the cgroup that is
// seen at the mount point, and whether the files are those of version 2.
struct Mount {
  std::string root;
  std::string point;
  bool version2 = false;
};

std::vector<Mount> cpu_mounts(const std::string& root) {
  std::vector<Mount> mounts;
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool version2 = dash[1] == "cgroup2";
    if (version2 || (dash[1] == "cgroup" && has_word(dash[3], "cpu"))) {
      mounts.push_back({.root = words[3], .point = words[4], .version2 = version2});
    }
  }
  return mounts;
}

// The cgroup of this process in a hierarchy: of lines "4:cpu,cpuacct:/path", "0::/path" (version
// 2).
std::optional<std::string> own_cgroup(const std::string& root, bool version2) {
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool mine =
        version2 ? line.starts_with("0:") && controllers.empty() : has_word(controllers, "cpu");
    if (mine) return line.substr(second + 1);
  }
  return std::nullopt;
}

// In processors: "150000 100000" is 1.5; "max", −1 and anything else, nothing.
std::optional<double> quota(const std::optional<int64_t>& time,
                            const std::optional<int64_t>& period) {
  if (!time || !period || *time <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*time) / static_cast<double>(*period);
}

std::optional<int64_t> first_number(const std::string& path) {
  const auto lines = lines_of(path);
  return lines.empty() ? std::nullopt : number_of<int64_t>(lines[0]);
}

std::optional<double> quota_of(const std::string& group, bool version2) {
  if (!version2) {
    return quota(first_number(group + "/cpu.cfs_quota_us"),
                 first_number(group + "/cpu.cfs_period_us"));
  }
  const auto lines = lines_of(group + "/cpu.max");
  const auto words = lines.empty() ? std::vector<std::string>() : words_of(lines[0]);
  if (words.size() != 2) return std::nullopt;
  return quota(number_of<int64_t>(words[0]), number_of<int64_t>(words[1]));
}

int affinity() {
#ifdef __linux__
  // A machine may have more processors than a cpu_set_t holds.
  for (int most = CPU_SETSIZE; most <= 1 << 20; most *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(most));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(most));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return count;
  }
#endif
  return 0;
}

}  // namespace

std::optional<double> cgroup_quota(const std::string& root) {
  std::optional<double> least;
  for (const Mount& mount : cpu_mounts(root)) {
    std::string path = own_cgroup(root, mount.version2).value_or("/");
    // Of a path "/a/b" and a mount of "/a", "/b"; where a container sees a path of the host that it
    // does not see mounted, what is mounted is its own.
    if (mount.root != "/") {
      const bool below = path == mount.root || path.starts_with(mount.root + "/");
      path = below ? path.substr(mount.root.size()) : "/";
    }
    while (true) {  // this group and all around it
      while (path.ends_with('/')) path.pop_back();
      const auto found = quota_of(root + mount.point + path, mount.version2);
      if (found) least = least ? std::min(*least, *found) : found;
      if (!path.starts_with('/')) break;
      path.resize(path.rfind('/'));
    }
  }
  return least;
}

GrantedCpus granted_cpus(const std::string& root) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  GrantedCpus granted{
      .count = cores,
      .reason = text_of("the machine has ", cores, cores == 1 ? " core" : " cores")};
  if (const int allowed = affinity(); allowed > 0 && allowed < granted.count) {
    granted = {.count = allowed, .reason = "CPU affinity"};
  }
  if (const auto limit = cgroup_quota(root); limit && std::ceil(*limit) < granted.count) {
    granted = {.count = std::max(1, static_cast<int>(std::ceil(*limit))),
               .reason = "a CPU quota of its cgroup"};
  }
  return granted;
}

std::optional<int> omp_num_threads() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  if (text == nullptr) return std::nullopt;
  const std::string_view all = text;
  const auto count = number_of<int>(all.substr(0, all.find(',')));
  return count && *count > 0 ? count : std::nullopt;
}

}  // namespace heed
