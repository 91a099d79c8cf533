#include "heed/io/atomic.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "heed/base/error.h"
#include "heed/io/replace.h"
#include "heed/io/utf8.h"

namespace heed {

namespace fs = std::filesystem;

// ---- OutputFile

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      calls_(other.calls_) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) calls_->close(descriptor_);
}

void OutputFile::write(const void* bytes, size_t count) {
  check_usage(descriptor_ >= 0, name_.string(), ": written to after it was finished");
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = calls_->write(descriptor_, at, count);
    if (written < 0 && errno == EINTR) continue;
    // A call that takes nothing and gives no reason would go on for ever.
    if (written <= 0) throw_io_error(name_, "writing", written < 0 ? errno : ENOSPC);
    at += written;
    count -= static_cast<size_t>(written);
  }
}

void OutputFile::flush() {
  check_usage(descriptor_ >= 0, name_.string(), ": finished twice");
  int result;
  do {
    result = calls_->fsync(descriptor_);
  } while (result != 0 && errno == EINTR);
  if (result != 0) throw_io_error(name_, "flushing to the disk", errno);
}

void OutputFile::finish() {
  flush();
  // Linux closes the descriptor whatever close returns.
  if (calls_->close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    throw_io_error(name_, "closing", errno);
  }
}

// ---- AtomicFile

AtomicFile::AtomicFile(const fs::path& target, SystemCalls& calls)
    : name_(target), target_(replace::resolved(target)), calls_(&calls), file_(-1, target, calls) {
  std::error_code ignored;
  const fs::file_type type = fs::status(target_, ignored).type();
  check_usage(type != fs::file_type::directory, name_.string(),
              ": is a directory, expected a file name");
  // A pipe or a device would be gone, replaced by a file.
  check_usage(type == fs::file_type::regular || type == fs::file_type::not_found ||
                  type == fs::file_type::none,
              name_.string(), ": is a device or a pipe, expected the name of a file");
  make_directories(target_.parent_path(), calls);
  replace::remove_leftovers(target_, calls);
  auto [path, descriptor] = replace::create_file(target_, name_, calls);
  temporary_ = std::move(path);
  file_.descriptor_ = descriptor;
}

AtomicFile::~AtomicFile() {
  // After a failed swap back, the version before stands there: never remove that.
  if (temporary_.empty() || !replace::is_at(file_.descriptor_, temporary_)) return;
  calls_->unlink(temporary_.c_str());
}

void AtomicFile::commit() {
  file_.flush();  // and not closed: the descriptor holds the lock
  const fs::path old = replace::swap_in(temporary_, target_, name_, *calls_);
  temporary_.clear();
  if (!old.empty()) calls_->unlink(old.c_str());
  calls_->close(std::exchange(file_.descriptor_, -1));
}

// ---- AtomicDirectory

namespace {

// The first entry of a directory that is not in `replaceable`; empty if there is none.
std::string foreign_entry(const fs::path& directory, const std::vector<std::string>& replaceable) {
  std::error_code error;
  std::string first;
  fs::directory_iterator entry(directory, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool known =
        std::find(replaceable.begin(), replaceable.end(), name) != replaceable.end() ||
        is_temporary_name(name);
    if (!known && (first.empty() || name < first)) first = name;
  }
  if (error) throw_io_error(directory, "listing it", error.value());
  return first;
}

bool is_plain_name(const fs::path& name) {
  const std::string text = name.string();
  return name.has_filename() && name.filename() == name && text != "." && text != ".." &&
         text.find('\0') == std::string::npos;
}

void check_target(const fs::path& target, const fs::path& name,
                  const std::vector<std::string>& replaceable) {
  std::error_code ignored;
  const fs::file_type type = fs::status(target, ignored).type();
  if (type == fs::file_type::not_found) return;
  check_usage(type == fs::file_type::directory, name.string(),
              ": is a file, expected the name of a directory");
  check_usage(!replace::is_mount_point(target), name.string(),
              ": is a mount point, which cannot be replaced; give a new directory inside it");
  const std::string foreign = foreign_entry(target, replaceable);
  check_usage(foreign.empty(), name.string(), ": holds ", excerpt(foreign),
              ", which saving would remove; choose another directory or move it away");
}

}  // namespace

void check_replaceable(const fs::path& target, const std::vector<std::string>& replaceable) {
  const fs::path path = replace::resolved(target);
  check_target(path, target, replaceable);
  // The nearest folder that is there must let us create something in it.
  fs::path folder = path.parent_path();
  std::error_code ignored;
  while (folder.has_relative_path() && !fs::exists(folder, ignored)) folder = folder.parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw_io_error(folder, "writing", errno);
}

AtomicDirectory::AtomicDirectory(const fs::path& target, std::vector<std::string> replaceable,
                                 SystemCalls& calls)
    : name_(target),
      target_(replace::resolved(target)),
      replaceable_(std::move(replaceable)),
      calls_(&calls) {
  check_target(target_, name_, replaceable_);
  make_directories(target_.parent_path(), calls);
  replace::remove_leftovers(target_, calls);
  auto [path, descriptor] = replace::create_directory(target_, name_, calls);
  temporary_ = std::move(path);
  lock_ = descriptor;
}

AtomicDirectory::~AtomicDirectory() {
  // After a failed swap back, the version before stands there: never remove that.
  if (!temporary_.empty() && replace::is_at(lock_, temporary_)) remove_tree(temporary_, *calls_);
  if (lock_ >= 0) calls_->close(lock_);
}

OutputFile AtomicDirectory::create(std::string_view name) {
  const fs::path file(name);
  check_usage(!temporary_.empty(), name_.string(), ": a file was added after commit");
  const fs::path folder = file.parent_path();
  check_usage(is_plain_name(file.filename()) && (folder.empty() || is_plain_name(folder)),
              excerpt(name), " is not a plain file name");
  const fs::path shown = name_ / file;
  if (!folder.empty() && calls_->mkdir((temporary_ / folder).c_str(), 0777) != 0 &&
      errno != EEXIST) {
    throw_io_error(name_ / folder, "creating", errno);
  }
  int descriptor;
  do {
    descriptor =
        calls_->open((temporary_ / file).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) throw_io_error(shown, "creating", errno);
  return OutputFile(descriptor, shown, *calls_);
}

void AtomicDirectory::write(std::string_view name, std::string_view content) {
  OutputFile file = create(name);
  file.write(content);
  file.finish();
}

void AtomicDirectory::commit() {
  check_usage(!temporary_.empty(), name_.string(), ": committed twice");
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_)) {
    if (!entry.is_directory()) continue;
    if (const int error = flush_directory(entry.path(), *calls_)) {
      throw_io_error(name_ / entry.path().filename(), "flushing to the disk", error);
    }
  }
  if (const int error = flush_directory(temporary_, *calls_)) {
    throw_io_error(name_, "flushing to the disk", error);
  }
  const fs::path old = replace::swap_in(temporary_, target_, name_, *calls_);
  temporary_.clear();
  calls_->close(std::exchange(lock_, -1));
  if (!old.empty()) {
    keep_foreign_entries(old);
    remove_tree(old, *calls_);
  }
}

// Whatever somebody put into the old directory since the check goes along: nothing is lost.
void AtomicDirectory::keep_foreign_entries(const fs::path& old) {
  std::error_code ignored;
  std::vector<fs::path> names;
  for (fs::directory_iterator entry(old, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    names.push_back(entry->path().filename());
  }
  for (const fs::path& name : names) {
    const bool known =
        std::find(replaceable_.begin(), replaceable_.end(), name.string()) != replaceable_.end();
    if (!known && !fs::exists(target_ / name, ignored)) {
      calls_->rename((old / name).c_str(), (target_ / name).c_str());
    }
  }
}

}  // namespace heed
