#include "heed/base/large_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace heed {
namespace {

TEST(LargePages, ContentsStayWhateverTheSizeAndPlace) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{5} << 20, (size_t{16} << 20) + 7}) {
    std::vector<unsigned char> memory(bytes + 3, 0x5a);
    prefer_large_pages(memory.data() + 3, bytes);
    EXPECT_TRUE(std::all_of(memory.begin(), memory.end(), [](int x) { return x == 0x5a; }));
  }
  prefer_large_pages(nullptr, 0);
}

}  // namespace
}  // namespace heed
