// What tests share: a folder of their own, whole files in one line, data sets, and the message of
// an error.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace heed::test {

// An empty directory that is removed at the end, whatever is in it.
class Folder {
 public:
  Folder() {
    // In memory where there is such a folder: these tests flush thousands of times.
    const bool has_memory = ::access("/dev/shm", W_OK | X_OK) == 0;
    const auto parent = has_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (parent / "heed-io-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline void spill(const std::filesystem::path& file, std::string_view content) {
  std::ofstream(file, std::ios::binary)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
}

inline std::string slurp(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Where a data set is, if it is there: tests of one that is not are skipped.
inline std::filesystem::path shared_data(std::string_view name) {
  const char* folder = std::getenv("HEED_SHARED_DATA");
  return std::filesystem::path(folder != nullptr ? folder : "../shared/data") / name;
}

// The message of the `Expected` that `run` throws; any other outcome fails the test.
template <typename Expected, typename Run>
std::string message_of(Run&& run) {
  try {
    run();
  } catch (const Expected& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << "one line: " << message;
    EXPECT_LT(message.size(), 2000u);
    return message;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace heed::test
