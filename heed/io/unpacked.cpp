#include "heed/io/unpacked.h"

#include <fcntl.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "heed/base/error.h"
#include "heed/io/input.h"

namespace heed {

std::string read_unpacked(const std::filesystem::path& file, uint64_t max_bytes) {
  constexpr size_t kChunk = size_t{256} << 10;
  const Input input(file);
  // zlib closes what it is given.
  const int descriptor = ::fcntl(input.descriptor(), F_DUPFD_CLOEXEC, 0);
  const auto close = [](gzFile stream) { ::gzclose(stream); };
  const std::unique_ptr<gzFile_s, decltype(close)> stream(
      descriptor < 0 ? nullptr : ::gzdopen(descriptor, "rb"), close);
  if (!stream) throw IoError(input.name() + ": could not be opened a second time");
  std::string content;
  while (true) {
    const size_t before = content.size();
    content.resize(before + kChunk);
    const int got = ::gzread(stream.get(), content.data() + before, kChunk);
    content.resize(before + static_cast<size_t>(std::max(got, 0)));
    int error = Z_OK;
    const char* message = ::gzerror(stream.get(), &error);
    if (error == Z_ERRNO) throw IoError(input.name() + ": reading failed");
    if (error != Z_OK && error != Z_STREAM_END) {
      throw DataError(input.name(), text_of("the gzip data is cut off or damaged (", message,
                                            "); copy the file again"));
    }
    if (content.size() > max_bytes) {
      throw DataError(input.name(), text_of("holds more than the ", max_bytes, " bytes expected"));
    }
    if (got == 0) return content;
  }
}

}  // namespace heed
