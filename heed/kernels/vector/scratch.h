// Memory that a worker keeps from call to call, handed out in pieces.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace heed::kernels {

// Pieces are aligned to 64 bytes, not initialised, and live until the next reset. Grows to the
// largest need; one for each thread (see thread_scratch).
class Scratch {
 public:
  // Makes room for `bytes` in all and takes back every piece handed out before.
  void reset(int64_t bytes) {
    if (bytes > capacity_) {
      memory_.reset(static_cast<char*>(::operator new(static_cast<size_t>(bytes), kAlignment)));
      capacity_ = bytes;
    }
    used_ = 0;
  }

  template <typename T>
  T* take(int64_t count) {
    T* piece = reinterpret_cast<T*>(memory_.get() + used_);
    used_ += rounded(count * static_cast<int64_t>(sizeof(T)));
    return piece;
  }

  int64_t left() const { return capacity_ - used_; }

  static int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(char* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<char, Free> memory_;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
};

inline Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace heed::kernels
