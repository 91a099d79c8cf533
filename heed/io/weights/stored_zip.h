// The entries of a zip archive that are stored as they are, without compression, as torch writes
// them. Used inside this folder.                                   PKWARE, APPNOTE.TXT, section 4.3
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace heed {

// Whether the bytes begin as a zip archive does.
bool is_zip(std::span<const std::byte> bytes);

// The bytes of each entry by its name: views of `bytes`. Throws DataError naming `file` where the
// archive is damaged or an entry is compressed or encrypted.
std::map<std::string, std::span<const std::byte>> stored_entries(std::span<const std::byte> bytes,
                                                                 const std::string& file);

}  // namespace heed
