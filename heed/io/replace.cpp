#include "heed/io/replace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/atomic.h"

namespace heed {
namespace fs = std::filesystem;
namespace replace {
namespace {

constexpr std::string_view kNew = ".heed-new-";
constexpr std::string_view kOld = ".heed-old-";
constexpr size_t kSuffixDigits = 8;

std::string random_suffix() {
  std::random_device device;
  std::string suffix;
  for (size_t i = 0; i < kSuffixDigits; ++i) suffix += "0123456789abcdef"[device() % 16];
  return suffix;
}

fs::path temporary_path(const fs::path& target, std::string_view kind) {
  return target.parent_path() /
         ("." + target.filename().string() + std::string(kind) + random_suffix());
}

bool has_entry(const fs::path& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

int open_for_lock(const fs::path& path, SystemCalls& calls) {
  return calls.open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
}

// Closes at the end of its scope.
struct Descriptor {
  int number;
  SystemCalls& calls;
  Descriptor(int opened, SystemCalls& the_calls) : number(opened), calls(the_calls) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) calls.close(number);
  }
};

// Another run may be cleaning up and take the newborn away before its lock is held: only what is
// locked and still has a name counts. A file system without locks never cleans up.
bool is_ours(int descriptor, SystemCalls& calls) {
  if (calls.lock(descriptor) != 0 && errno == EWOULDBLOCK) return false;
  struct stat status;
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

// `create` makes the path and returns an open descriptor, or -1 with errno.
Temporary create(const fs::path& target, const fs::path& name, SystemCalls& calls,
                 const std::function<int(const char*)>& create_at) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    const fs::path path = temporary_path(target, kNew);
    const int descriptor = create_at(path.c_str());
    if (descriptor < 0) {
      if (errno == EEXIST || errno == EINTR) continue;
      throw_io_error(name, "creating a temporary name beside it", errno);
    }
    if (is_ours(descriptor, calls)) return {path, descriptor};
    calls.close(descriptor);
  }
  throw IoError(name.string() + ": no free temporary name beside it");
}

// The temporary names of this kind beside a target.
std::vector<fs::path> leftovers(const fs::path& target, std::string_view kind) {
  const std::string prefix = "." + target.filename().string() + std::string(kind);
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(target.parent_path(), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && name.size() == prefix.size() + kSuffixDigits &&
        is_temporary_name(name)) {
      found.push_back(entry->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Calls `use` if no running save holds `path`.
void if_abandoned(const fs::path& path, SystemCalls& calls, const std::function<void()>& use) {
  const Descriptor descriptor(open_for_lock(path, calls), calls);
  if (descriptor.number >= 0 && calls.lock(descriptor.number) == 0) use();
}

// Without a swap in one step, a file is renamed over the old one; a directory needs the old one
// out of the way, and `recover` puts it back if the run is killed in between.
fs::path replace_in_steps(const fs::path& fresh, const fs::path& target, const fs::path& name,
                          SystemCalls& calls) {
  const fs::path aside = temporary_path(target, kOld);
  std::error_code ignored;
  const bool is_directory = fs::is_directory(target, ignored);
  if (is_directory && calls.rename(target.c_str(), aside.c_str()) != 0) {
    throw_io_error(name, "moving the version before aside", errno);
  }
  if (calls.rename(fresh.c_str(), target.c_str()) != 0) {
    const int error = errno;
    if (is_directory) calls.rename(aside.c_str(), target.c_str());
    throw_io_error(name, "putting the new version into place", error);
  }
  if (const int error = flush_directory(target.parent_path(), calls)) {
    if (!is_directory) {
      throw_io_error(name, "the new version is in place, but flushing its folder to the disk",
                     error);
    }
    calls.rename(target.c_str(), fresh.c_str());
    calls.rename(aside.c_str(), target.c_str());
    throw_io_error(name, "flushing its folder to the disk", error);
  }
  return is_directory ? aside : fs::path();
}

}  // namespace

fs::path resolved(const fs::path& target) {
  check_usage(!target.empty(), "the name to save to is empty");
  std::error_code error;
  fs::path path = fs::absolute(target, error);
  if (!error) path = fs::weakly_canonical(path, error);
  if (error) throw_io_error(target, "resolving its path", error.value());
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // a slash at the end
  if (!path.has_filename()) {
    throw UsageError("\"" + target.string() + "\" cannot be saved to; give a name in a folder");
  }
  return path;
}

Temporary create_file(const fs::path& target, const fs::path& name, SystemCalls& calls) {
  struct stat old;
  const mode_t mode = ::stat(target.c_str(), &old) == 0 ? old.st_mode & 0777 : 0666;
  return create(target, name, calls, [&](const char* path) {
    return calls.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  });
}

Temporary create_directory(const fs::path& target, const fs::path& name, SystemCalls& calls) {
  struct stat old;
  const mode_t mode = ::stat(target.c_str(), &old) == 0 ? (old.st_mode & 0777) | 0700 : 0777;
  return create(target, name, calls, [&](const char* path) {
    if (calls.mkdir(path, mode) != 0) return -1;
    const int descriptor = open_for_lock(path, calls);
    if (descriptor < 0) {
      const int error = errno;
      calls.rmdir(path);
      errno = error;
    }
    return descriptor;
  });
}

bool is_at(int descriptor, const fs::path& path) {
  struct stat ours;
  struct stat there;
  return ::fstat(descriptor, &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

bool is_mount_point(const fs::path& path) {
  struct statx status;
  return ::statx(AT_FDCWD, path.c_str(), 0, 0, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void remove_leftovers(const fs::path& target, SystemCalls& calls) {
  recover(target, calls);
  for (const std::string_view kind : {kNew, kOld}) {
    for (const fs::path& path : leftovers(target, kind)) {
      if_abandoned(path, calls, [&] {
        if (kind == kOld && !has_entry(target)) return;  // the only version there is
        remove_tree(path, calls);
      });
    }
  }
}

fs::path swap_in(const fs::path& fresh, const fs::path& target, const fs::path& name,
                 SystemCalls& calls) {
  const fs::path folder = target.parent_path();
  if (!has_entry(target)) {
    if (calls.rename(fresh.c_str(), target.c_str()) != 0) {
      throw_io_error(name, "putting the new version into place", errno);
    }
    if (const int error = flush_directory(folder, calls)) {
      calls.rename(target.c_str(), fresh.c_str());
      throw_io_error(name, "flushing its folder to the disk", error);
    }
    return {};
  }
  // The old version gets a temporary name for a moment: the lock keeps other runs away from it.
  const Descriptor old(open_for_lock(target, calls), calls);
  if (old.number >= 0) calls.lock(old.number);
  if (calls.exchange(fresh.c_str(), target.c_str()) == 0) {
    if (const int error = flush_directory(folder, calls)) {
      calls.exchange(fresh.c_str(), target.c_str());
      throw_io_error(name, "flushing its folder to the disk", error);
    }
    return fresh;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
    throw_io_error(name, "putting the new version into place", errno);
  }
  return replace_in_steps(fresh, target, name, calls);
}

}  // namespace replace

bool is_temporary_name(std::string_view file_name) {
  if (!file_name.starts_with('.') || file_name.size() <= replace::kSuffixDigits) return false;
  const std::string_view suffix = file_name.substr(file_name.size() - replace::kSuffixDigits);
  if (suffix.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  file_name.remove_suffix(replace::kSuffixDigits);
  return file_name.ends_with(replace::kNew) || file_name.ends_with(replace::kOld);
}

void recover(const fs::path& target, SystemCalls& calls) {
  const fs::path path = replace::resolved(target);
  if (replace::has_entry(path)) return;
  for (const fs::path& aside : replace::leftovers(path, replace::kOld)) {
    replace::if_abandoned(aside, calls, [&] {
      if (!replace::has_entry(path)) calls.rename(aside.c_str(), path.c_str());
    });
  }
}

}  // namespace heed
