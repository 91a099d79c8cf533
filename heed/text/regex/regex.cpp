#include "heed/text/regex/regex.h"

#define ONIG_ESCAPE_UCHAR_COLLISION  // ICU has a UChar as well
#include <oniguruma.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

// Steps back that one match may take before they are counted: more than those of any expression
// that is not slow. Oniguruma does not tell how many it took, so a search that takes more begins
// again with a higher limit, and the limits are summed.
constexpr uint64_t kFewRetries = 1000;
constexpr uint64_t kRaise = 10;
// And all matches of a text together.
constexpr uint64_t kMostRetries = 100'000'000;
constexpr unsigned long kMostCalls = 10'000'000;  // of groups by groups, \g<name>
// Places to go back to that are remembered, about 40 bytes each: "[^x]+" remembers every character.
constexpr unsigned kMostRemembered = 1u << 24;

using Bytes = const OnigUChar*;

Bytes begin_of(std::string_view text) {
  return reinterpret_cast<Bytes>(text.data() != nullptr ? text.data() : "");
}

// Oniguruma's words for an error, which may quote the pattern.
std::string message_of(int error, OnigErrorInfo* info) {
  std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> buffer{};
  const int length = info != nullptr ? onig_error_code_to_str(buffer.data(), error, info)
                                     : onig_error_code_to_str(buffer.data(), error);
  const std::string quoted = excerpt(
      {reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(std::max(length, 0))},
      200);
  return quoted.substr(1, quoted.size() - 2);
}

void initialize_once() {
  static const int result = [] {
    OnigEncoding utf8 = ONIG_ENCODING_UTF8;
    onig_set_subexp_call_limit_in_search(kMostCalls);
    return onig_initialize(&utf8, 1);
  }();
  check_usage(result == ONIG_NORMAL, "regular expressions: ", message_of(result, nullptr));
}

bool took_too_many(int error) {
  return error == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER || error == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER;
}

// Looks for the matches of one text, one after the other.
struct Search {
  OnigRegion* region = onig_region_new();
  OnigMatchParam* limits = onig_new_match_param();
  uint64_t retries = 0;

  Search() {
    onig_initialize_match_param(limits);
    onig_set_match_stack_limit_size_of_match_param(limits, kMostRemembered);
  }

  // As onig_search.
  int find(OnigRegex regex, std::string_view text, size_t from) {
    const Bytes begin = begin_of(text);
    const Bytes end = begin + text.size();
    for (uint64_t most = kFewRetries;; most *= kRaise) {
      onig_set_retry_limit_in_match_of_match_param(limits, most);
      onig_set_retry_limit_in_search_of_match_param(limits, most);
      const int found = onig_search_with_param(regex, begin, end, begin + from, end, region,
                                               ONIG_OPTION_NONE, limits);
      if (!took_too_many(found)) return found;
      retries += most;
      if (retries > kMostRetries) return found;
    }
  }

  ~Search() {
    onig_region_free(region, 1);
    onig_free_match_param(limits);
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
};

bool inside_character(std::string_view text, size_t at) {
  return at < text.size() && !begins_character(text[at]);
}

size_t next_character(std::string_view text, size_t at) {
  ++at;
  while (inside_character(text, at)) ++at;
  return at;
}

}  // namespace

struct Regex::Code {
  OnigRegex compiled = nullptr;

  explicit Code(const std::string& pattern) {
    initialize_once();
    OnigErrorInfo info{};
    const int result = onig_new(&compiled, begin_of(pattern), begin_of(pattern) + pattern.size(),
                                ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &info);
    check_usage(result == ONIG_NORMAL, "regular expression ", excerpt(pattern, 100), ": ",
                message_of(result, &info));
  }

  ~Code() { onig_free(compiled); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  // Finds the first match at or after `from`; false if there is none. It ends up between `from` and
  // the end of the text, on whole characters, whatever the pattern does: \K behind a lookahead
  // gives a begin beyond the end.
  bool find(std::string_view text, size_t from, Search& search, Span& match) const {
    const int found = search.find(compiled, text, from);
    if (found == ONIG_MISMATCH) return false;
    if (found < 0) {
      throw DataError(text_of("a regular expression on a text of ", text.size(),
                              " bytes: ", message_of(found, nullptr)));
    }
    const auto place = [&](int at) {
      size_t inside = std::clamp(static_cast<size_t>(std::max(at, 0)), from, text.size());
      while (inside_character(text, inside)) --inside;
      return static_cast<uint32_t>(inside);
    };
    match.begin = place(search.region->beg[0]);
    match.end = std::max(match.begin, place(search.region->end[0]));
    return true;
  }
};

Regex::Regex(std::string pattern)
    : pattern_(std::move(pattern)), code_(std::make_shared<const Code>(pattern_)) {}

void Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  if (text.empty()) return;  // as the package: not even an empty match
  if (text.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw DataError(text_of("a regular expression on a text of ", text.size(),
                            " bytes: expected at most ", std::numeric_limits<int>::max()));
  }
  Search search;
  Span match{};
  bool after_match = false;  // the one before ended at `from`
  for (size_t from = 0; from <= text.size() && code_->find(text, from, search, match);) {
    if (match.size() == 0 && after_match && match.begin == from) {
      from = next_character(text, from);
      after_match = false;
      continue;
    }
    matches.push_back(match);
    from = match.end;
    after_match = true;
  }
}

}  // namespace heed::text
