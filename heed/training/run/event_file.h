// The files that TensorBoard reads: events.out.tfevents.*. A file is a row of TFRecords
//
//   length (8 bytes) | masked CRC-32C of it (4) | data | masked CRC-32C of the data (4)
//
// in little endian, each one an `Event` message of protocol buffers
// (tensorflow/core/util/event.proto and summary.proto, of which only the fields used here).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "heed/training/run/append_file.h"

namespace heed::training {

// CRC with the Castagnoli polynomial (RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);

// One record with its frame.
std::string tf_record(std::string_view data);

class EventFile {
 public:
  // A new file in `directory`. TensorBoard forgets what earlier files hold of steps from
  // `first_step` on: a resumed run takes them again. Throws IoError.
  EventFile(const std::filesystem::path& directory, int64_t first_step, SystemCalls& calls);

  // Throws IoError.
  void scalar(std::string_view tag, int64_t step, double value);

 private:
  AppendFile file_;
};

}  // namespace heed::training
