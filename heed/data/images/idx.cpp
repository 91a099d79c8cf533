#include "heed/data/images/idx.h"

#include "heed/base/error.h"
#include "heed/io/printable.h"
#include "heed/io/unpacked.h"

namespace heed::data {
namespace {

constexpr char kBytes = 0x08;  // the type of the elements

int64_t big_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

bool is_idx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 &&
         bytes[2] <= 0x0E && bytes[3] >= 1 && bytes[3] <= 8;
}

IdxArray read_idx(const std::filesystem::path& file, int64_t dimensions, uint64_t max_bytes) {
  IdxArray array{.shape = {}, .bytes = read_unpacked(file, max_bytes)};
  const std::string name = printable(file.string());
  if (!is_idx(array.bytes)) throw DataError(name, "expected an IDX file, found another kind");
  if (array.bytes[2] != kBytes) throw DataError(name, "expected an IDX file of bytes");
  if (array.bytes[3] != dimensions) {
    throw DataError(name, text_of("expected an IDX file of ", dimensions, " dimensions, found ",
                                  static_cast<int>(array.bytes[3])));
  }
  const size_t header = 4 + 4 * static_cast<size_t>(dimensions);
  if (array.bytes.size() < header) throw DataError(name, "the header of the IDX file is cut off");
  uint64_t expected = 1;
  for (size_t at = 4; at < header; at += 4) {
    array.shape.push_back(big_endian(std::string_view(array.bytes).substr(at, 4)));
    const auto size = static_cast<uint64_t>(array.shape.back());
    if (size != 0 && expected > UINT64_MAX / size) throw DataError(name, "sizes that overflow");
    expected *= size;
  }
  if (array.bytes.size() - header != expected) {
    throw DataError(name, text_of("expected ", expected, " bytes behind the header, found ",
                                  array.bytes.size() - header, "; is the file whole?"));
  }
  array.bytes.erase(0, header);
  return array;
}

}  // namespace heed::data
