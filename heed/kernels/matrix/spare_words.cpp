#include "heed/kernels/matrix/spare_words.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "heed/base/large_pages.h"
#include "heed/kernels/arithmetic.h"

namespace heed::kernels {
namespace {

constexpr int64_t kLine = 64;  // bytes
constexpr int64_t kLargestSpare = int64_t{64} << 20;

struct Spare {
  uint32_t* words = nullptr;
  int64_t bytes = 0;
  Spare() = default;
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  ~Spare() { std::free(words); }
};
Spare& spare() {
  thread_local Spare mine;
  return mine;
}

}  // namespace

std::shared_ptr<uint32_t[]> spare_words(int64_t bytes) {
  bytes = round_up(std::max<int64_t>(bytes, 1), kLine);
  Spare& kept = spare();
  // Memory twice as large as needed is left for the matrix that needs it.
  uint32_t* words = nullptr;
  int64_t size = bytes;
  if (kept.bytes >= bytes && kept.bytes <= 2 * bytes) {
    words = std::exchange(kept.words, nullptr);
    size = std::exchange(kept.bytes, 0);
  } else {
    words = static_cast<uint32_t*>(std::aligned_alloc(kLine, static_cast<size_t>(bytes)));
    if (words == nullptr) throw std::bad_alloc();
    prefer_large_pages(words, static_cast<size_t>(bytes));
  }
  return {words, [size](uint32_t* p) {
            Spare& place = spare();
            if (size > place.bytes && size <= kLargestSpare) {
              std::swap(p, place.words);
              place.bytes = size;
            }
            std::free(p);
          }};
}

}  // namespace heed::kernels
