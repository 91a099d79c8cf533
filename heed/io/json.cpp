#include "heed/io/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/joined.h"
#include "heed/io/file.h"
#include "heed/io/json_syntax.h"
#include "heed/io/utf8.h"

namespace heed {
namespace {

// "a" + "b" -> "a.b"; a key that is more than a plain word is quoted: vocab["x y"].
std::string child_path(const std::string& parent, std::string_view key) {
  const bool plain =
      !key.empty() && key.size() <= 60 && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
      });
  if (!plain) return parent + "[" + excerpt(key) + "]";
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string child_path(const std::string& parent, size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

std::string place(const std::string& file, const std::string& path) {
  return path.empty() ? file : file + ": field '" + path + "'";
}

// Builds the tree while nlohmann's parser reads, and refuses what that parser would let through.
class StrictBuilder final : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(const std::string& file, int max_depth) : file_(file), max_depth_(max_depth) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // never in JSON text
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  // Sorted first: looking for the place of each member of a vocabulary by itself takes longer than
  // all else here, and leaves a tree whose neighbours are far apart in memory.
  bool end_object() override {
    Members& members = levels_.back().members;
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.first < b.first; });
    const auto twice =
        std::adjacent_find(members.begin(), members.end(),
                           [](const Member& a, const Member& b) { return a.first == b.first; });
    if (twice != members.end()) {
      throw DataError(place(file_, path()), "key " + excerpt(twice->first) + " appears twice");
    }
    auto& object = levels_.back().container->get_ref<Json::object_t&>();
    for (Member& each : members) {
      object.emplace_hint(object.end(), std::move(each.first), std::move(each.second));
    }
    return close();
  }

  bool key(std::string& name) override {
    levels_.back().members.emplace_back(std::move(name), nullptr);
    return true;
  }

  bool parse_error(size_t byte, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    throw_json_syntax_error(file_, byte, token, error.what());
  }

 private:
  using Member = std::pair<std::string, Json>;
  using Members = std::vector<Member>;
  struct Level {
    Json* container;
    Members members;  // of an object, as they were read; the last one takes the next value
  };

  bool add(Json value) {
    place_for_value() = std::move(value);
    return true;
  }

  bool open(Json container) {
    if (levels_.size() >= static_cast<size_t>(max_depth_)) {
      throw DataError(place(file_, path()), text_of("more than ", max_depth_, " nested levels"));
    }
    Json& added = place_for_value();
    added = std::move(container);
    levels_.push_back({.container = &added, .members = {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  Json& place_for_value() {
    if (levels_.empty()) return root_;
    Level& level = levels_.back();
    if (level.container->is_object()) return level.members.back().second;
    return level.container->get_ref<Json::array_t&>().emplace_back();
  }

  std::string path() const {
    std::string path;
    // The innermost level has no child yet.
    for (size_t i = 0; i + 1 < levels_.size(); ++i) {
      const Level& level = levels_[i];
      path = level.container->is_object() ? child_path(path, level.members.back().first)
                                          : child_path(path, level.container->size() - 1);
    }
    return path;
  }

  const std::string& file_;
  int max_depth_;
  Json root_;
  std::vector<Level> levels_;
};

// What stands in the file, short enough for a message.
std::string description(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return excerpt(value.get_ref<const std::string&>());
    case Json::value_t::array:
      return text_of("an array of ", value.size());
    case Json::value_t::object:
      return text_of("an object with ", value.size(), value.size() == 1 ? " key" : " keys");
    default:
      return value.dump();
  }
}

template <typename Number, typename Range>
std::string range_text(const char* what, const Range& range) {
  const bool low = range.least != std::numeric_limits<Number>::lowest();
  const bool high = range.most != std::numeric_limits<Number>::max();
  if (low && high) return text_of(what, " from ", range.least, " to ", range.most);
  if (low) return text_of(what, " of at least ", range.least);
  if (high) return text_of(what, " of at most ", range.most);
  return what;
}

template <typename Tree>
void check_finite(const Tree& value) {
  if (value.is_number_float() && !std::isfinite(value.template get<double>())) {
    throw UsageError("a number that is not finite cannot be written as JSON");
  }
  if (value.is_structured()) {
    for (const Tree& child : value) check_finite(child);
  }
}

template <typename Tree>
std::string text_of_tree(const Tree& value) {
  check_finite(value);
  try {
    return value.dump(2) + "\n";
  } catch (const nlohmann::json::type_error&) {
    throw UsageError("a string that is not UTF-8 cannot be written as JSON");
  }
}

}  // namespace

JsonValue::JsonValue(Json document, std::string file)
    : value_(std::make_shared<const Json>(std::move(document))),
      file_(std::make_shared<const std::string>(std::move(file))) {}

JsonValue::JsonValue(const JsonValue& parent, const Json& value, std::string path)
    : value_(parent.value_, &value), file_(parent.file_), path_(std::move(path)) {}

void JsonValue::fail(std::string_view expected) const {
  throw DataError(place(*file_, path_),
                  text_of("expected ", expected, ", found ", description(*value_)));
}

bool JsonValue::is_null() const { return value_->is_null(); }

bool JsonValue::is_string(std::string_view text) const {
  return value_->is_string() && value_->get_ref<const std::string&>() == text;
}

bool JsonValue::has(std::string_view key) const {
  if (!value_->is_object()) fail("an object");
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

JsonValue JsonValue::at(std::string_view key) const {
  if (!value_->is_object()) fail("an object");
  std::string path = child_path(path_, key);
  const auto found = value_->find(key);
  if (found == value_->end()) throw DataError(*file_, "field '" + path + "' is missing");
  return JsonValue(*this, *found, std::move(path));
}

JsonValue JsonValue::at(size_t index) const {
  if (index >= array_size()) fail(text_of("an array of more than ", index));
  return JsonValue(*this, (*value_)[index], child_path(path_, index));
}

size_t JsonValue::array_size() const {
  if (!value_->is_array()) fail("an array");
  return value_->size();
}

bool JsonValue::boolean() const {
  if (!value_->is_boolean()) fail("true or false");
  return value_->get<bool>();
}

int64_t JsonValue::integer(IntegerRange range) const {
  const bool fits = value_->is_number_integer() &&
                    (!value_->is_number_unsigned() ||
                     value_->get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
  const int64_t value = fits ? value_->get<int64_t>() : 0;
  if (!fits || value < range.least || value > range.most) {
    fail(range_text<int64_t>("an integer", range));
  }
  return value;
}

double JsonValue::number(NumberRange range) const {
  const double value = value_->is_number() ? value_->get<double>() : 0;
  if (!value_->is_number() || !(value >= range.least && value <= range.most)) {
    fail(range_text<double>("a number", range));
  }
  return value;
}

const std::string& JsonValue::string() const {
  if (!value_->is_string()) fail("a string");
  return value_->get_ref<const std::string&>();
}

std::vector<int64_t> JsonValue::integers(IntegerRange range) const {
  std::vector<int64_t> values(array_size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = at(i).integer(range);
  return values;
}

std::vector<std::string> JsonValue::strings() const {
  std::vector<std::string> values(array_size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = at(i).string();
  return values;
}

void JsonValue::check_keys(std::initializer_list<std::string_view> known) const {
  if (!value_->is_object()) fail("an object");
  for (const auto& [key, value] : value_->items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw DataError(*file_, "field '" + child_path(path_, key) + "' is not known here; known are " +
                                joined(known));
  }
}

JsonValue parse_json(std::string_view text, std::string file, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    throw DataError(file, text_of("holds ", text.size(), " bytes of JSON, at most ",
                                  limits.max_bytes, " expected"));
  }
  check_json_text(text, file);
  StrictBuilder builder(file, limits.max_depth);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return JsonValue(builder.take(), std::move(file));
}

JsonValue read_json(const std::filesystem::path& file, JsonLimits limits) {
  return parse_json(read_file(file, limits.max_bytes, FileKind::kRegular), file.string(), limits);
}

std::string json_text(const Json& value) { return text_of_tree(value); }
std::string json_text(const OrderedJson& value) { return text_of_tree(value); }

}  // namespace heed
