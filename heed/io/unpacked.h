// Whole files of bytes, plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace heed {

// The bytes that a file holds, without gzip around them, at most `max_bytes`: no more is unpacked.
// MissingInputError, IoError as read_file(); DataError: it holds more, or gzip data that is cut off
// or damaged.
std::string read_unpacked(const std::filesystem::path& file, uint64_t max_bytes);

}  // namespace heed
