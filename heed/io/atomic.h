// Saving so that a crash, a full disk or a kill never costs the version that was there before.
//
// A file or directory is written beside its target under a temporary name, flushed to the disk
// (fsync), and then swapped into place in one step; a reader sees the old version or the new one,
// whole. What failed before that step leaves the old version untouched, and what fails after it
// swaps back. (Where the file system cannot exchange two names, a single file is renamed over the
// old one; if flushing its folder then fails, the error says that the new version is in place.)
//
// The temporary names are ".NAME.heed-new-XXXXXXXX" and ".NAME.heed-old-XXXXXXXX", in the folder
// of the target. A run that was killed leaves them behind; the next save to the same target
// removes them (a save that is still running holds a lock on its own). No loader takes such a name
// for a model: is_temporary_name.
//
// Errors: IoError names the path, the step and strerror. UsageError: the target cannot be what is
// asked for (a directory where a file should be, a directory that holds other things).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed {

class SystemCalls;  // that tests may make fail (io/system_calls.h)
SystemCalls& real_system_calls();

// A file that is being written, from start to end, under its temporary name.
class OutputFile {
 public:
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  void write(const void* bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }

  // Flushes to the disk and closes. A file that is destroyed without it is closed as it stands.
  void finish();

  // The name that it will have, for messages.
  const std::filesystem::path& name() const { return name_; }

 private:
  friend class AtomicFile;
  friend class AtomicDirectory;
  OutputFile(int descriptor, std::filesystem::path name, SystemCalls& calls)
      : descriptor_(descriptor), name_(std::move(name)), calls_(&calls) {}
  void flush();

  int descriptor_;  // -1 once closed
  std::filesystem::path name_;
  SystemCalls* calls_;
};

// One file that is replaced whole.
//
//   AtomicFile file("vocab.txt");
//   file.write(text);
//   file.commit();
//
// Missing folders above it are created. A symbolic link is followed, not replaced. Destroyed
// without commit, it removes what it wrote.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target,
                      SystemCalls& calls = real_system_calls());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t count) { file_.write(bytes, count); }
  void write(std::string_view text) { file_.write(text); }
  OutputFile& stream() { return file_; }  // for writers that take an OutputFile

  // Puts the file into place. If this throws, the version before it is in place.
  void commit();

 private:
  std::filesystem::path name_;       // as the caller gave it
  std::filesystem::path target_;     // absolute, links resolved
  std::filesystem::path temporary_;  // beside the target
  SystemCalls* calls_;
  OutputFile file_;
};

// A directory that is replaced whole: a trained model.
//
//   AtomicDirectory directory(out, {"config.json", "model.safetensors", "tokenizer.json"});
//   directory.write("config.json", text);
//   write_safetensors(directory, "model.safetensors", tensors, metadata);
//   directory.commit();
//
// Replacing removes what the old directory held, so only a directory whose entries are all in
// `replaceable` is replaced; any other is a UsageError in the constructor and nothing is touched
// (`--out ~` must not cost anyone a home). Programs ask check_replaceable before a long run; what
// somebody adds to the old directory after that is moved into the new one.
class AtomicDirectory {
 public:
  AtomicDirectory(const std::filesystem::path& target, std::vector<std::string> replaceable,
                  SystemCalls& calls = real_system_calls());
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  // A new file in it: `name` is a plain file name, or one in a folder of it ("folder/file"), which
  // is made. Any other is a UsageError. Call finish() on the file before commit().
  OutputFile create(std::string_view name);

  // A whole file in one go, flushed.
  void write(std::string_view name, std::string_view content);

  // Puts the directory into place. If this throws, the version before it is in place.
  void commit();

 private:
  std::filesystem::path name_;       // as the caller gave it
  std::filesystem::path target_;     // absolute, links resolved
  std::filesystem::path temporary_;  // beside the target; empty once it is in place
  std::vector<std::string> replaceable_;
  SystemCalls* calls_;
  int lock_ = -1;  // an open descriptor of temporary_, locked while this object lives

  void keep_foreign_entries(const std::filesystem::path& old);
};

// Throws UsageError if `target` is something that AtomicDirectory would refuse to replace, IoError
// if it may not be written.
void check_replaceable(const std::filesystem::path& target,
                       const std::vector<std::string>& replaceable);

// Puts back a version that a killed save had moved aside on a file system that cannot swap two
// directories in one step (NFS). Loaders call it when `target` is not there; it does nothing if
// there is nothing to put back.
void recover(const std::filesystem::path& target, SystemCalls& calls = real_system_calls());

// Whether a file name is one of the temporary names above.
bool is_temporary_name(std::string_view file_name);

}  // namespace heed
