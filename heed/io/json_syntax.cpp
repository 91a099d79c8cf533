#include "heed/io/json_syntax.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed {

void check_json_text(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    throw DataError(file, "byte 1: a byte order mark; save the file as UTF-8 without it");
  }
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw DataError(file, text_of("byte ", nul + 1, ": not valid JSON: a NUL byte"));
  }
}

void throw_json_syntax_error(const std::string& file, size_t byte, const std::string& token,
                             std::string what) {
  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while parsing
  // value - invalid literal; last read: '[1, x'; expected ..."
  if (const size_t tag = what.find("] "); tag != std::string::npos) what.erase(0, tag + 2);
  if (what.starts_with("parse error at ")) {
    if (const size_t end = what.find(": "); end != std::string::npos) what.erase(0, end + 2);
  }
  constexpr size_t kShown = 40;
  const std::string_view end =
      std::string_view(token).substr(token.size() - std::min(token.size(), kShown));
  // The token stands between single quotes, as it is.
  const size_t found = token.empty() ? std::string::npos : what.find("'" + token + "'");
  if (found != std::string::npos) what.replace(found, token.size() + 2, excerpt(end));
  throw DataError(file, text_of("byte ", byte, ": not valid JSON: ", what));
}

}  // namespace heed
