#include "heed/data/json_lines.h"

#include <string>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/io/utf8.h"

namespace heed::data {

void read_json_lines(TextLines& lines, const std::function<void(const JsonValue&, int64_t)>& take) {
  constexpr uint64_t kMaxBytes = uint64_t{16} << 20;
  std::string line;
  while (lines.next(line)) {
    if (trimmed(line).empty()) continue;
    const int64_t number = lines.line_number();
    try {
      const JsonValue object = parse_json(line, "JSON", {.max_bytes = kMaxBytes});
      if (!object.json().is_object()) {
        throw DataError("expected a JSON object, found " + excerpt(line, 30));
      }
      take(object, number);
    } catch (const DataError& error) {
      lines.report(ProblemKind::kMalformedRow, number, error.what());
    }
  }
}

}  // namespace heed::data
