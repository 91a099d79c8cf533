// IDX files: arrays of bytes with their sizes in front.        LeCun, "The MNIST database", 1998
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace heed::data {

struct IdxArray {
  std::vector<int64_t> shape;
  std::string bytes;  // as many as the shape says
};

// Whether bytes, unpacked, begin as an IDX file does.
bool is_idx(std::string_view bytes);

// Plain or gzip. DataError for what is no IDX file of bytes, has more dimensions than expected or
// another length than it says.
IdxArray read_idx(const std::filesystem::path& file, int64_t dimensions, uint64_t max_bytes);

}  // namespace heed::data
