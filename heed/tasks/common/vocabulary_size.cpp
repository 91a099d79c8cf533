#include "heed/tasks/common/vocabulary_size.h"

#include <charconv>

#include "heed/base/error.h"

namespace heed::tasks {

int32_t vocabulary_size(std::string_view kind, const VocabularySizeRule& rule) {
  const std::string_view number = kind.substr(rule.prefix.size());
  const char* last = number.data() + number.size();
  int32_t size = 0;
  const auto [end, error] = std::from_chars(number.data(), last, size);
  check_usage(error == std::errc() && end == last && size >= rule.least, "tokenizer: expected ",
              rule.prefix, "N with N ", rule.expected, ", got '", kind, "'");
  return size;
}

}  // namespace heed::tasks
