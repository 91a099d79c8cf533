#include "heed/training/run/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstdio>

namespace heed::training {
namespace {

constexpr std::array<uint32_t, 256> make_crc_table() {
  constexpr uint32_t kReversedPolynomial = 0x82F63B78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? (value >> 1) ^ kReversedPolynomial : value >> 1;
    }
    table[byte] = value;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

// So that the CRC of data that holds CRCs is no weaker.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

template <typename Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

// ---- Fields of protocol buffers: the number of the field and how its value is written.

std::string varint(uint64_t value) {
  std::string bytes;
  while (value >= 0x80) {
    bytes += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  return bytes + static_cast<char>(value);
}

std::string key(uint32_t field, uint32_t wire_type) { return varint(field << 3 | wire_type); }

std::string integer_field(uint32_t field, int64_t value) {
  return key(field, 0) + varint(static_cast<uint64_t>(value));
}
std::string double_field(uint32_t field, double value) {
  return key(field, 1) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string bytes_field(uint32_t field, std::string_view bytes) {
  return key(field, 2) + varint(bytes.size()) + std::string(bytes);
}
std::string float_field(uint32_t field, float value) {
  return key(field, 5) + little_endian(std::bit_cast<uint32_t>(value));
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// event.proto: Event.wall_time = 1, .step = 2.
std::string event(int64_t step) { return double_field(1, now()) + integer_field(2, step); }

// Sorted by time, as TensorBoard reads the files of a directory in the order of their names.
std::filesystem::path new_name(const std::filesystem::path& directory) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {"localhost"};
  const double time = now();
  const auto seconds = static_cast<long long>(time);
  std::array<char, 400> name{};
  std::snprintf(name.data(), name.size(), "events.out.tfevents.%010lld.%s.%06d.%d", seconds,
                host.data(), static_cast<int>((time - static_cast<double>(seconds)) * 1e6),
                static_cast<int>(::getpid()));
  return directory / name.data();
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) {
    crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (crc >> 8);
  }
  return ~crc;
}

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked_crc(length)) + std::string(data) +
         little_endian(masked_crc(data));
}

EventFile::EventFile(const std::filesystem::path& directory, int64_t first_step, SystemCalls& calls)
    : file_(new_name(directory), calls) {
  // Event.file_version = 3; Event.session_log = 7, SessionLog.status = 1, START = 1.
  file_.append(tf_record(double_field(1, now()) + bytes_field(3, "brain.Event:2")));
  file_.append(tf_record(event(first_step) + bytes_field(7, integer_field(1, 1))));
}

void EventFile::scalar(std::string_view tag, int64_t step, double value) {
  // Event.summary = 5, Summary.value = 1, Value.tag = 1, Value.simple_value = 2.
  const std::string entry = bytes_field(1, tag) + float_field(2, static_cast<float>(value));
  file_.append(tf_record(event(step) + bytes_field(5, bytes_field(1, entry))));
}

}  // namespace heed::training
