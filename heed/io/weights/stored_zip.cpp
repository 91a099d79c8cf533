#include "heed/io/weights/stored_zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed {
namespace {

constexpr uint32_t kLocal = 0x04034b50;
constexpr uint32_t kCentral = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr size_t kEndBytes = 22;
constexpr size_t kCentralBytes = 46;
constexpr size_t kLocalBytes = 30;
constexpr size_t kLocatorBytes = 20;
constexpr size_t kEnd64Bytes = 56;
constexpr uint32_t kIn64 = 0xffffffff;  // the value stands in the extra field of 64 bits
constexpr uint16_t kExtra64 = 1;
constexpr size_t kMostEntries = 1 << 20;

class Archive {
 public:
  Archive(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::map<std::string, std::span<const std::byte>> entries() const {
    const Directory directory = find_directory();
    std::map<std::string, std::span<const std::byte>> found;
    uint64_t at = directory.begin;
    uint64_t left = bytes_.size();
    for (uint64_t i = 0; i < directory.count; ++i) {
      if (get<uint32_t>(at) != kCentral) fail("its directory is damaged");
      const uint64_t name_bytes = get<uint16_t>(at + 28);
      const uint64_t extra_bytes = get<uint16_t>(at + 30);
      const std::string name = text(at + kCentralBytes, name_bytes);
      const auto entry = content(at, name, at + kCentralBytes + name_bytes, extra_bytes);
      if (entry.size() > left) fail("its entries overlap");
      left -= entry.size();
      found[name] = entry;
      at += kCentralBytes + name_bytes + extra_bytes + get<uint16_t>(at + 32);
    }
    return found;
  }

 private:
  struct Directory {
    uint64_t begin = 0;
    uint64_t count = 0;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_, "zip archive: " + what);
  }
  void check(uint64_t at, uint64_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) fail("the file was cut off");
  }
  template <typename T>
  T get(uint64_t at) const {
    check(at, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  std::string text(uint64_t at, uint64_t count) const {
    check(at, count);
    return {reinterpret_cast<const char*>(bytes_.data()) + at, static_cast<size_t>(count)};
  }

  // The end of the archive stands behind everything but a comment of at most 65,535 bytes.
  Directory find_directory() const {
    if (bytes_.size() < kEndBytes) fail("the file was cut off");
    const uint64_t last = bytes_.size() - kEndBytes;
    const uint64_t first = last > 0xffff ? last - 0xffff : 0;
    for (uint64_t at = last;; --at) {
      if (get<uint32_t>(at) == kEnd) {
        if (at >= kLocatorBytes && get<uint32_t>(at - kLocatorBytes) == kLocator64) {
          return large_directory(get<uint64_t>(at - kLocatorBytes + 8));
        }
        return checked({.begin = get<uint32_t>(at + 16), .count = get<uint16_t>(at + 10)});
      }
      if (at == first) fail("its end is missing; the file was cut off");
    }
  }
  Directory large_directory(uint64_t at) const {
    check(at, kEnd64Bytes);
    if (get<uint32_t>(at) != kEnd64) fail("its directory is damaged");
    return checked({.begin = get<uint64_t>(at + 48), .count = get<uint64_t>(at + 32)});
  }
  Directory checked(const Directory& directory) const {
    check(directory.begin, 0);
    if (directory.count > kMostEntries) fail("it has too many entries");
    return directory;
  }

  // The sizes and the place of an entry that are too large for its record stand in an extra field,
  // in the order of the record.
  std::span<const std::byte> content(uint64_t at, const std::string& name, uint64_t extra,
                                     uint64_t extra_bytes) const {
    const std::string shown = excerpt(name);
    if ((get<uint16_t>(at + 8) & 1) != 0) fail(shown + " is encrypted");
    if (get<uint16_t>(at + 10) != 0) fail(shown + " is compressed, which torch.save never does");
    uint64_t next = wide_values(extra, extra_bytes);
    const auto value = [&](uint64_t offset) -> uint64_t {
      const auto narrow = get<uint32_t>(at + offset);
      if (narrow != kIn64) return narrow;
      if (next == 0) fail(shown + ": its size is missing");
      next += sizeof(uint64_t);
      return get<uint64_t>(next - sizeof(uint64_t));
    };
    const uint64_t size = value(24);
    if (value(20) != size) fail(shown + ": its two sizes differ");
    const uint64_t local = value(42);
    check(local, kLocalBytes);
    if (get<uint32_t>(local) != kLocal) fail(shown + ": its header is damaged");
    const uint64_t begin =
        local + kLocalBytes + get<uint16_t>(local + 26) + get<uint16_t>(local + 28);
    check(begin, size);
    return bytes_.subspan(static_cast<size_t>(begin), static_cast<size_t>(size));
  }
  // Where the extra field of 64 bits has its values; 0: there is none.
  uint64_t wide_values(uint64_t extra, uint64_t extra_bytes) const {
    const uint64_t end = extra + extra_bytes;
    for (uint64_t at = extra; at + 4 <= end; at += 4 + uint64_t{get<uint16_t>(at + 2)}) {
      if (get<uint16_t>(at) == kExtra64) return at + 4;
    }
    return 0;
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
};

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
  uint32_t mark = 0;
  if (bytes.size() < sizeof(mark)) return false;
  std::memcpy(&mark, bytes.data(), sizeof(mark));
  return mark == kLocal;
}

std::map<std::string, std::span<const std::byte>> stored_entries(std::span<const std::byte> bytes,
                                                                 const std::string& file) {
  return Archive(bytes, file).entries();
}

}  // namespace heed
