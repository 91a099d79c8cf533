// Strict reading of JSON that nobody vouches for (config.json, tokenizer.json, JSON lines), and
// typed access to its fields with errors that say where and what was expected:
//
//   const JsonValue config = read_json(directory / "config.json", {.max_bytes = 1 << 20});
//   const int64_t heads = config.at("num_heads").integer({.least = 1, .most = 1024});
//
//   config.json: field 'num_heads': expected an integer from 1 to 1024, found "four"
//
// Stricter than nlohmann::json itself: a key that appears twice, more than 64 levels, NaN and
// infinity, numbers that overflow, invalid UTF-8, lone surrogates, byte order marks, NUL bytes,
// comments and anything after the value are refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/error.h"

namespace heed {

// Declared, not defined: a source that looks into a tree or makes one includes <nlohmann/json.hpp>
// itself. It costs two seconds to compile, and most of those that pass a JsonValue on need none of
// it.
using Json = nlohmann::json;                 // keys sorted
using OrderedJson = nlohmann::ordered_json;  // keys as they were added; for writing

struct JsonLimits {
  uint64_t max_bytes;  // a longer text is refused; the tree takes up to 30 times its bytes
  int max_depth = 64;  // levels of objects and arrays
};

// The values that a number may have, both ends included.
struct IntegerRange {
  int64_t least = std::numeric_limits<int64_t>::min();
  int64_t most = std::numeric_limits<int64_t>::max();
};
struct NumberRange {
  double least = std::numeric_limits<double>::lowest();
  double most = std::numeric_limits<double>::max();
};

// A value inside a JSON document, which it keeps alive, with the name of the file and the path to
// it ("model.vocab", "added_tokens[3].id"). Every accessor throws DataError naming both if the
// value is not what was asked for.
class JsonValue {
 public:
  JsonValue(Json document, std::string file);

  const Json& json() const { return *value_; }
  const std::string& file() const { return *file_; }
  const std::string& path() const { return path_; }

  bool is_null() const;

  // Whether this is an object with that key and a value other than null; for a field that may be
  // absent: config.has("dropout") ? config.at("dropout").number({.least = 0, .most = 1}) : 0.1
  bool has(std::string_view key) const;

  // The member of an object, the element of an array.
  JsonValue at(std::string_view key) const;
  JsonValue at(size_t index) const;
  size_t array_size() const;

  bool boolean() const;
  int64_t integer(IntegerRange range = {}) const;  // 3, never 3.0
  double number(NumberRange range = {}) const;     // 3 or 3.0; always finite
  const std::string& string() const;
  std::vector<int64_t> integers(IntegerRange range = {}) const;
  std::vector<std::string> strings() const;

  // The value that stands beside this string in `names`:
  //   config.at("norm").one_of<Norm>({{"pre", Norm::kPre}, {"post", Norm::kPost}})
  template <typename Value>
  Value one_of(std::initializer_list<std::pair<std::string_view, Value>> names) const;

  // Refuses an object with a key that is not in `known`, naming the key: for files in which a
  // misspelt key would otherwise be ignored.
  void check_keys(std::initializer_list<std::string_view> known) const;

  // Throws the DataError "FILE: field 'PATH': expected EXPECTED, found VALUE".
  [[noreturn]] void fail(std::string_view expected) const;

 private:
  JsonValue(const JsonValue& parent, const Json& value, std::string path);
  bool is_string(std::string_view text) const;

  std::shared_ptr<const Json> value_;
  std::shared_ptr<const std::string> file_;
  std::string path_;
};

// Reads a whole text; `file` is its name in messages. DataError if it is not strict JSON:
// "FILE: byte 17: ..." for the syntax, "FILE: field 'a.b': ..." for the rest.
JsonValue parse_json(std::string_view text, std::string file, JsonLimits limits);

// The same for a file. MissingInputError, IoError and DataError as read_file; messages name the
// whole path.
JsonValue read_json(const std::filesystem::path& file, JsonLimits limits);

// The text of a JSON file, indented by two spaces and with a newline at its end. UsageError for a
// string that is not UTF-8 or a number that is not finite, which JSON cannot hold.
std::string json_text(const Json& value);
std::string json_text(const OrderedJson& value);

template <typename Value>
Value JsonValue::one_of(std::initializer_list<std::pair<std::string_view, Value>> names) const {
  std::string expected = "one of";
  for (const auto& [name, value] : names) {
    if (is_string(name)) return value;
    expected.append(" \"").append(name).append("\"");
  }
  fail(expected);
}

}  // namespace heed
