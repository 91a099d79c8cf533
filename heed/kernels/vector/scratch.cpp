#include "heed/kernels/vector/scratch.h"

#include <array>
#include <cstring>
#include <stdexcept>

#include "heed/base/error.h"

namespace heed::kernels {
namespace {

constexpr int64_t kLine = 64;
constexpr int64_t kLeastGuard = 8;
constexpr unsigned char kGuardByte = 0xA5;

constexpr auto kGuardBytes = [] {
  std::array<unsigned char, kLine + kLeastGuard> bytes{};
  for (unsigned char& byte : bytes) byte = kGuardByte;
  return bytes;
}();

}  // namespace

void Scratch::check() const {
  for (const Guard& guard : guards_) {
    if (std::memcmp(memory_.get() + guard.begin, kGuardBytes.data(),
                    static_cast<size_t>(guard.end - guard.begin)) != 0) {
      throw std::logic_error(
          text_of("kernels: scratch memory was written behind the piece that "
                  "ends at byte ",
                  guard.begin, " of ", used_));
    }
  }
}

void Scratch::make_room(int64_t bytes) {
  guards_.clear();
  if (bytes <= capacity_) return;
  memory_.reset(static_cast<char*>(::operator new(static_cast<size_t>(bytes), kAlignment)));
  capacity_ = bytes;
}

void* Scratch::take_bytes(int64_t bytes) {
  const int64_t begin = used_;
  const int64_t end = begin + bytes;
  used_ = (end + kLeastGuard + kLine - 1) / kLine * kLine;
  if (is_counting_) return nullptr;
  if (used_ > capacity_) {
    throw std::logic_error("kernels: more scratch memory was taken than was counted");
  }
  std::memset(memory_.get() + end, kGuardByte, static_cast<size_t>(used_ - end));
  guards_.push_back({end, used_});
  return memory_.get() + begin;
}

}  // namespace heed::kernels
