// What `heed COMMAND --help` prints.
#pragma once

#include <string>

#include "heed/cli/options/options.h"

namespace heed::cli {

// `text` in lines of at most `width` columns, each behind `indent` blanks; the first stands behind
// what is there already, which reaches to column `column`.
std::string wrapped(const std::string& text, size_t width, size_t indent, size_t column = 0);

// The usage, the options by their groups with all that may be given, and the examples, in lines of
// `width` columns where words allow it; an example that is longer goes on behind a backslash.
std::string help_text(const Options& of, size_t width);

}  // namespace heed::cli
