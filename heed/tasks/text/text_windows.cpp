#include "heed/tasks/text/text_windows.h"

#include <algorithm>

#include "heed/base/error.h"

namespace heed::tasks {

std::vector<TextWindow> text_windows(size_t count, size_t size, size_t stride) {
  check_usage(size > 0 && stride > 0 && stride <= size,
              "windows: expected a stride from 1 to the size ", size, ", got ", stride);
  std::vector<TextWindow> windows;
  for (size_t begin = 0;; begin += stride) {
    const size_t end = std::min(count, begin + size);
    size_t owned = 0;
    if (!windows.empty()) {
      // The middle of what both have.
      owned = (begin + windows.back().end + 1) / 2;
      windows.back().owned_end = owned;
    }
    windows.push_back({begin, end, owned, end});
    if (end == count) return windows;
  }
}

}  // namespace heed::tasks
