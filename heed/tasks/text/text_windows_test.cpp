#include "heed/tasks/text/text_windows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(TextWindows, CoverTheTextAndOwnEachTokenOnce) {
  for (size_t count = 0; count < 40; ++count) {
    for (size_t size = 1; size < 12; ++size) {
      for (size_t stride = 1; stride <= size; ++stride) {
        const auto windows = text_windows(count, size, stride);
        ASSERT_FALSE(windows.empty());
        size_t owned = 0;
        for (size_t w = 0; w < windows.size(); ++w) {
          const TextWindow& window = windows[w];
          EXPECT_EQ(window.begin, w * stride);
          EXPECT_EQ(window.end, std::min(count, window.begin + size));
          EXPECT_EQ(window.owned_begin, owned);
          EXPECT_LE(window.begin, window.owned_begin);
          EXPECT_LE(window.owned_end, window.end);
          EXPECT_LE(window.owned_begin, window.owned_end);
          owned = window.owned_end;
        }
        EXPECT_EQ(owned, count) << count << ' ' << size << ' ' << stride;
      }
    }
  }
  EXPECT_THROW(text_windows(3, 2, 3), UsageError);
  EXPECT_THROW(text_windows(3, 2, 0), UsageError);
}

}  // namespace
}  // namespace heed::tasks
