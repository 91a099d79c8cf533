// Lines that are too long are refused and not the end of reading.
#pragma once

#include <string_view>

#include "heed/base/error.h"
#include "heed/io/file.h"

namespace heed {

// The next line that is not too long. refused(why) is called for each that is, while `lines` stands
// at its number; `why` does not name the place. DataError: damage, behind which there is nothing.
template <typename Refused>
bool next_short(LineReader& lines, std::string_view& line, const Refused& refused) {
  while (true) {
    const int64_t before = lines.line_number();
    try {
      return lines.next(line);
    } catch (const DataError& error) {
      if (lines.line_number() == before) throw;
      const std::string_view why = error.what();
      refused(why.substr(lines.where().size() + 2));  // ": "
    }
  }
}

}  // namespace heed
