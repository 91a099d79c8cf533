// What every reading of JSON in this folder checks beside nlohmann's parser, and how its errors
// are told.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heed {

// Refuses what the parser would let through: a byte order mark, and a NUL byte, which it takes for
// the end of the text. DataError.
void check_json_text(std::string_view text, const std::string& file);

// Throws the DataError "FILE: byte N: not valid JSON: ..." for an error of nlohmann's SAX
// interface: the last token that it read, and what it says. The last token may be the whole file,
// so little of it is shown.
[[noreturn]] void throw_json_syntax_error(const std::string& file, size_t byte,
                                          const std::string& token, std::string what);

}  // namespace heed
