#include "heed/kernels/vector/scratch.h"

#include <cstring>
#include <stdexcept>

#include "heed/base/error.h"
#include "heed/kernels/arithmetic.h"

namespace heed::kernels {
namespace {

constexpr int64_t kLine = 64;
constexpr uint64_t kGuard = 0xA5A5A5A5A5A5A5A5U;

}  // namespace

void Scratch::check() const {
  for (const int64_t end : ends_) {
    uint64_t guard = 0;
    std::memcpy(&guard, memory_.get() + end, sizeof(guard));
    if (guard == kGuard) continue;
    throw std::logic_error(
        text_of("kernels: scratch memory was written behind the piece that ends at byte ", end,
                " of ", used_));
  }
}

void Scratch::make_room(int64_t bytes) {
  ends_.clear();
  if (bytes <= capacity_) return;
  memory_.reset(static_cast<char*>(::operator new(static_cast<size_t>(bytes), kAlignment)));
  capacity_ = bytes;
}

void* Scratch::take_bytes(int64_t bytes) {
  const int64_t begin = used_;
  const int64_t end = begin + bytes;
  used_ = round_up(end + static_cast<int64_t>(sizeof(kGuard)), kLine);
  if (is_counting_) return nullptr;
  if (used_ > capacity_) {
    throw std::logic_error("kernels: more scratch memory was taken than was counted");
  }
  std::memcpy(memory_.get() + end, &kGuard, sizeof(kGuard));
  ends_.push_back(end);
  return memory_.get() + begin;
}

}  // namespace heed::kernels
