// Rewrites a regular expression of Oniguruma's dialect for PCRE2; see regex.h. Used by regex.cpp.
#pragma once

#include <string>
#include <string_view>

namespace heed::text {

// UsageError: something that the two read differently.
std::string pcre2_pattern(std::string_view pattern);

}  // namespace heed::text
