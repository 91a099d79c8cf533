#include "heed/text/regex/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/regex/regex_dialect.h"

namespace heed::text {
namespace {

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(error, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR bytes_of(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data() != nullptr ? text.data() : "");
}

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using MatchData = std::unique_ptr<pcre2_match_data, FreeMatch>;

struct FreeContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

}  // namespace

struct Regex::Code {
  pcre2_code* compiled = nullptr;

  explicit Code(const std::string& pattern) {
    const std::string translated = pcre2_pattern(pattern);
    const std::unique_ptr<pcre2_compile_context, FreeContext> context(
        pcre2_compile_context_create(nullptr));
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE where = 0;
    compiled =
        pcre2_compile(bytes_of(translated), translated.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &where, context.get());
    check_usage(compiled != nullptr, "regular expression ", excerpt(pattern, 100), ": ",
                message_of(error));
    // Without it, where a machine has none, matching is slower and gives the same.
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
  }

  ~Code() { pcre2_code_free(compiled); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  // The first match at or after `begin`; false if there is none.
  bool match(std::string_view text, size_t begin, pcre2_match_data* data) const {
    int count = pcre2_match(compiled, bytes_of(text), text.size(), begin, PCRE2_NO_UTF_CHECK, data,
                            nullptr);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT) {
      count = pcre2_match(compiled, bytes_of(text), text.size(), begin,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, nullptr);
    }
    if (count >= 0) return true;
    if (count == PCRE2_ERROR_NOMATCH) return false;
    throw DataError(
        text_of("a regular expression on a text of ", text.size(), " bytes: ", message_of(count)));
  }
};

Regex::Regex(std::string pattern)
    : pattern_(std::move(pattern)), code_(std::make_shared<const Code>(pattern_)) {
  const MatchData data(pcre2_match_data_create_from_pattern(code_->compiled, nullptr));
  check_usage(!code_->match("", 0, data.get()), "regular expression ", excerpt(pattern_, 100),
              ": expected one that does not match the empty text");
}

void Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  const MatchData data(pcre2_match_data_create_from_pattern(code_->compiled, nullptr));
  for (size_t at = 0; at <= text.size() && code_->match(text, at, data.get());) {
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
    if (ends[1] > ends[0]) {
      matches.push_back({static_cast<uint32_t>(ends[0]), static_cast<uint32_t>(ends[1])});
      at = ends[1];
    } else {  // a lookahead can still match nothing inside a text
      at = ends[1] + 1;
      while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
    }
  }
}

}  // namespace heed::text
