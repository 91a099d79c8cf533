#include "heed/data/json_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "heed/base/error.h"
#include "heed/data/limits.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr uint64_t kMaxLine = uint64_t{16} << 20;
constexpr uint64_t kMaxDocument = uint64_t{512} << 20;
constexpr uint64_t kGrowth = 30;  // a tree takes up to this many times its text (io/json.h)

void read_lines(TextLines& lines, const std::function<void(const JsonValue&, int64_t)>& take) {
  std::string line;
  while (lines.next(line)) {
    if (trimmed(line).empty()) continue;
    const int64_t number = lines.line_number();
    try {
      const JsonValue object = parse_json(line, "JSON", {.max_bytes = kMaxLine});
      if (!object.json().is_object()) {
        throw DataError("expected a JSON object, found " + excerpt(line, 30));
      }
      take(object, number);
    } catch (const DataError& error) {
      lines.report(ProblemKind::kMalformedRow, number, error.what());
    }
  }
}

}  // namespace

JsonValue read_json_document(TextLines& lines) {
  const uint64_t most = std::min(kMaxDocument, free_memory() / kGrowth);
  std::string text;
  for (std::string line; lines.next(line);) {
    text += line;
    text += '\n';
    if (text.size() > most) {
      throw DataError(lines.file(), text_of("a JSON document of more than ", most,
                                            " bytes, whose tree might not fit into memory; write ",
                                            "an object on each line (JSON lines)"));
    }
  }
  return parse_json(text, lines.file(), {.max_bytes = kMaxDocument});
}

void read_json_objects(TextLines& lines, const FileLayout& kind,
                       const std::function<void(const JsonValue&, int64_t)>& take) {
  if (kind.format != Format::kJson) {
    read_lines(lines, take);
    return;
  }
  const JsonValue document = read_json_document(lines);
  const JsonValue objects = document.json().is_object() ? document.at("data") : document;
  for (size_t i = 0; i < objects.array_size(); ++i) {
    const auto number = static_cast<int64_t>(i) + 1;
    try {
      const JsonValue object = objects.at(i);
      if (!object.json().is_object()) object.fail("an object");
      take(object, number);
    } catch (const DataError& error) {
      lines.report(ProblemKind::kMalformedRow, 0, error.what());
    }
  }
}

}  // namespace heed::data
