// Memory of many megabytes in large pages: a first touch of fresh memory costs a trap into the
// kernel for each page, and 4 KB pages make that a third of the time of a pass that streams through
// hundreds of megabytes once.
#pragma once

#include <cstddef>

namespace heed {

// Asks the system to back `bytes` from `data` on, which nothing has touched yet, by large pages
// where it can (Linux: madvise(MADV_HUGEPAGE)). A hint: contents stay as they are, and a refusal is
// no error. Does nothing for less than 4 MB and on other systems.
void prefer_large_pages(void* data, size_t bytes);

}  // namespace heed
