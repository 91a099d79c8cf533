#include "heed/tasks/common/vocabulary_size.h"

#include <charconv>
#include <filesystem>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::tasks {

int32_t vocabulary_size(std::string_view kind, const VocabularySizeRule& rule) {
  const std::string_view number = kind.substr(rule.prefix.size());
  const char* last = number.data() + number.size();
  int32_t size = 0;
  const auto [end, error] = std::from_chars(number.data(), last, size);
  check_usage(error == std::errc() && end == last && size >= rule.least, rule.field, ": expected ",
              rule.prefix, "N with N ", rule.expected, ", got '", kind, "'");
  return size;
}

text::Tokenizer tokenizer_file(const std::string& name, const TokenizerFileRule& rule) {
  if (!std::filesystem::exists(name)) {
    const std::string message = text_of(rule.field, ": expected ", rule.learnt,
                                        " or the path of a tokenizer.json, got ", excerpt(name));
    if (name.find_first_of("./") == name.npos) throw UsageError(message);
    throw MissingInputError(message + ", which is not there");
  }
  return text::Tokenizer::load(name);
}

}  // namespace heed::tasks
