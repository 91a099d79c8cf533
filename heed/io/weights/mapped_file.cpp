#include "heed/io/weights/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "heed/base/error.h"

namespace heed {

std::shared_ptr<std::byte> map_file(const Input& input) {
  const auto size = static_cast<size_t>(input.size());
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                         input.descriptor(), 0);
  if (address == MAP_FAILED) {
    throw IoError(input.name() + ": mapping it into memory failed: " + std::strerror(errno));
  }
  return {static_cast<std::byte*>(address), [size](std::byte* bytes) { ::munmap(bytes, size); }};
}

}  // namespace heed
