#include "heed/cli/reading/ner_reading.h"

#include "heed/base/error.h"

namespace heed::cli {

data::NerReadOptions ner_reading(const ReadingOptions& reading, const models::DataColumns& known) {
  check_usage(reading.header != "yes", "--header: files of words with tags have none");
  check_usage(reading.label_column.empty(),
              "--label-column: the tag of a word stands in the last column");
  data::NerReadOptions options;
  options.encoding = data::encoding_named(reading.encoding);
  options.format = data::format_named(reading.format);
  options.limits = reading.limits();
  options.word_column = data::word_column_of(reading.text_column);
  options.known_word_column = data::word_column_of(models::column_of(known, "word"));
  return options;
}

}  // namespace heed::cli
