#include "heed/data/texts/text_data.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/rows.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

std::string read_all(const std::vector<std::filesystem::path>& files,
                     const TextReadOptions& options, DataReport& report) {
  std::string text;
  for (const std::filesystem::path& file : files) {
    TextLines lines(
        file,
        {.encoding = options.encoding,
         // It is held up to four times: read (in a buffer that doubles), as a line, in the text.
         .max_line_bytes = static_cast<size_t>(bytes_allowed(options.limits) / 4),
         .limits = options.limits},
        report);
    const size_t begin = text.size();
    const int64_t bad = report.count(ProblemKind::kMalformedRow);
    for (std::string line; lines.next(line);) {
      text += line;
      text += '\n';
    }
    if (report.count(ProblemKind::kMalformedRow) > bad) {
      lines.note("a text in a single line may have a quarter of max_bytes (--max-bytes)");
    }
    if (text.size() == begin) {
      report.add(ProblemKind::kNoExamples, lines.file(), 0, "expected text, found an empty file");
    }
  }
  return text;
}

// Where the last `share` of the characters begins.
size_t cut(const std::string& text, double share) {
  const int64_t characters = code_points(text);
  auto left = static_cast<int64_t>(static_cast<double>(characters) * (1 - share));
  for (size_t at = 0; at < text.size(); ++at) {
    if (begins_character(text[at]) && left-- == 0) return at;
  }
  return text.size();
}

}  // namespace

TextData read_text(const TextFiles& files, const TextReadOptions& options, DataReport& report) {
  check_usage(!files.train.empty(), "expected at least one file with text, got none");
  check_usage(options.valid_share >= 0 && options.valid_share < 1,
              "valid_share: expected a share from 0 up to but not including 1, got ",
              options.valid_share);
  TextData data;
  data.train = read_all(files.train, options, report);
  if (!files.valid.empty()) {
    data.valid = read_all(files.valid, options, report);
  } else if (options.valid_share > 0) {
    const size_t begin = cut(data.train, options.valid_share);
    data.valid = data.train.substr(begin);
    data.train.resize(begin);
    if (data.train.empty() || data.valid.empty()) {
      report.add(ProblemKind::kNoExamples, files.train[0].string(), 0,
                 "expected enough text for a training and a validation part");
    }
  }
  return data;
}

}  // namespace heed::data
