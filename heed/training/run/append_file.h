// A file that grows by whole records: logs. A record that a crash cut off is the last one.
#pragma once

#include <filesystem>
#include <string_view>

#include "heed/io/system_calls.h"

namespace heed::training {

class AppendFile {
 public:
  // Opens for writing behind what is there, or creates. Throws IoError.
  explicit AppendFile(std::filesystem::path file, SystemCalls& calls = real_system_calls());
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // Throws IoError.
  void append(std::string_view record);

 private:
  std::filesystem::path name_;
  SystemCalls& calls_;
  int descriptor_;
};

}  // namespace heed::training
