// How AtomicFile and AtomicDirectory find temporary names, clean up after killed runs, and put
// the new version where the old one was. Not meant for use elsewhere.
#pragma once

#include <filesystem>

#include "heed/io/system_calls.h"

namespace heed::replace {

// The absolute path of a target, with links resolved. UsageError if it can have no name ("/").
std::filesystem::path resolved(const std::filesystem::path& target);

// A new file or directory beside the target, open and locked. `name` stands for it in messages.
struct Temporary {
  std::filesystem::path path;
  int descriptor;
};
Temporary create_file(const std::filesystem::path& target, const std::filesystem::path& name,
                      SystemCalls& calls);
Temporary create_directory(const std::filesystem::path& target, const std::filesystem::path& name,
                           SystemCalls& calls);

// Whether the path is what the descriptor has open, and not something swapped with it.
bool is_at(int descriptor, const std::filesystem::path& path);

// A mount point can be written into but never be swapped.
bool is_mount_point(const std::filesystem::path& path);

// Removes what killed saves to this target left, except where another run holds the lock.
void remove_leftovers(const std::filesystem::path& target, SystemCalls& calls);

// Puts `fresh`, whose content is on the disk, where `target` is, and returns the path at which the
// old version now stands (empty if there was none). If it throws IoError, nothing has changed.
std::filesystem::path swap_in(const std::filesystem::path& fresh,
                              const std::filesystem::path& target,
                              const std::filesystem::path& name, SystemCalls& calls);

}  // namespace heed::replace
