#include "heed/cli/reading/ner_reading.h"

#include <charconv>

#include "heed/base/error.h"

namespace heed::cli {

data::NerReadOptions ner_reading(const ReadingOptions& reading) {
  check_usage(reading.header != "yes", "--header: files of words with tags have none");
  check_usage(reading.label_column.empty(),
              "--label-column: the tag of a word stands in the last column");
  data::NerReadOptions options;
  options.encoding = data::encoding_named(reading.encoding);
  options.format = data::format_named(reading.format);
  options.limits = reading.limits();
  const std::string& column = reading.text_column;
  if (column.empty()) return options;
  const char* end = column.data() + column.size();
  const auto [stop, error] = std::from_chars(column.data(), end, options.word_column);
  check_usage(error == std::errc() && stop == end && options.word_column >= 1,
              "--text-column: expected the number of the column with the words, got '", column,
              "'");
  return options;
}

}  // namespace heed::cli
