// A file whose bytes are read where the page cache has them. Used inside this folder.
#pragma once

#include <cstddef>
#include <memory>

#include "heed/io/input.h"

namespace heed {

// All bytes of a regular file that is not empty. They stay when the file is removed or replaced.
// Whoever writes to them writes to copies of the pages, which nobody else sees: the file stays as
// it is. Throws IoError.
std::shared_ptr<std::byte> map_file(const Input& input);

}  // namespace heed
