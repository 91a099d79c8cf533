// Memory that a worker keeps from call to call, handed out in pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace heed::kernels {

// Pieces are aligned to 64 bytes, not initialised, and live until the next are handed out. Grows to
// the largest need; one for each thread (see thread_scratch).
//
// Behind each piece stand 8 bytes that nobody may write. Whether somebody did is looked at before
// the next pieces are handed out, in every build: a few nanoseconds a task, so that no test can
// pass over code that writes too far.
class Scratch {
 public:
  // Runs body() twice: it takes its pieces with take(). The first time they are counted, and null:
  // body() must take the same both times, and write to none of them.
  template <typename Body>
  void hand_out(const Body& body) {
    check();
    is_counting_ = true;
    used_ = 0;
    body();
    make_room(used_);
    is_counting_ = false;
    used_ = 0;
    body();
  }

  template <typename T>
  T* take(int64_t count) {
    return static_cast<T*>(take_bytes(count * static_cast<int64_t>(sizeof(T))));
  }

  // The only piece.
  template <typename T>
  T* take_alone(int64_t count) {
    T* piece = nullptr;
    hand_out([&] { piece = take<T>(count); });
    return piece;
  }

  // Throws std::logic_error where something was written behind a piece.
  void check() const;

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(char* p) const { ::operator delete(p, kAlignment); }
  };
  void make_room(int64_t bytes);
  void* take_bytes(int64_t bytes);

  std::unique_ptr<char, Free> memory_;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
  bool is_counting_ = false;
  std::vector<int64_t> ends_;  // of the pieces
};

inline Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace heed::kernels
