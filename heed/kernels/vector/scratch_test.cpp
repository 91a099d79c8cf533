#include "heed/kernels/vector/scratch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

namespace heed::kernels {
namespace {

TEST(Scratch, PiecesAreApartAndAligned) {
  Scratch scratch;
  for (const int64_t count : {0, 1, 15, 16, 17, 1000, 3}) {
    float* a = nullptr;
    uint16_t* b = nullptr;
    scratch.hand_out([&] {
      a = scratch.take<float>(count);
      b = scratch.take<uint16_t>(count);
    });
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(b) % 64, 0U);
    EXPECT_LE(reinterpret_cast<char*>(a + count), reinterpret_cast<char*>(b));
    std::memset(a, 1, static_cast<size_t>(count) * sizeof(float));
    std::memset(b, 2, static_cast<size_t>(count) * sizeof(uint16_t));
    EXPECT_NO_THROW(scratch.check());
  }
}

// One element too many behind any of the pieces is seen before the next are handed out.
TEST(Scratch, SeesWhatWritesTooFar) {
  for (const int64_t count : {1, 15, 16, 17, 64}) {
    for (int which = 0; which < 2; ++which) {
      Scratch scratch;
      float* piece[2] = {};
      scratch.hand_out([&] {
        for (float*& p : piece) p = scratch.take<float>(count);
      });
      EXPECT_NO_THROW(scratch.check());
      piece[which][count] = 0;
      EXPECT_THROW(scratch.take_alone<float>(1), std::logic_error) << count << ", piece " << which;
    }
  }
}

TEST(Scratch, RefusesMoreThanWasCounted) {
  Scratch scratch;
  int calls = 0;
  EXPECT_THROW(scratch.hand_out([&] { scratch.take<float>(++calls * 100); }), std::logic_error);
}

}  // namespace
}  // namespace heed::kernels
