// What the libFuzzer targets share. Each defines one(), which is called with what libFuzzer makes
// up; README.md says how they are built and run.
#pragma once

#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "heed/base/error.h"

namespace heed::fuzz {

// Hands `input` to the code under test. A refusal (DataError, UsageError) is right; any other
// exception, a crash, a hang or much memory is a finding.
void one(std::string_view input);

// A file that lives as long as the process, in memory where the machine has such a folder.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) {
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    folder_ = parent / ("heed_fuzz_" + std::to_string(::getpid()) + "_" + name);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / name;
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void write(std::string_view content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

// Stops the process, so that libFuzzer keeps the input.
inline void expect(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace heed::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  try {
    heed::fuzz::one({reinterpret_cast<const char*>(bytes), count});
  } catch (const heed::DataError&) {
  } catch (const heed::UsageError&) {
  }
  return 0;
}
