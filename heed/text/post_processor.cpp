#include "heed/text/post_processor.h"

#include <limits>
#include <string>

#include "heed/base/error.h"

namespace heed::text {
namespace {

constexpr IntegerRange kIds = {.least = 0, .most = std::numeric_limits<int32_t>::max() - 1};

constexpr size_t kMostSpecials = 1024;  // around a text

// ["[SEP]", 102]
int32_t read_named_id(const JsonValue& json) {
  if (json.array_size() != 2) json.fail("a token and its id, [\"[SEP]\", 102]");
  json.at(size_t{0}).string();
  return static_cast<int32_t>(json.at(1).integer(kIds));
}

void check_count(const JsonValue& part, const PostProcessor& processor) {
  if (processor.before.size() + processor.after.size() + processor.trims.size() > kMostSpecials) {
    part.fail(text_of("at most ", kMostSpecials, " special tokens around a text"));
  }
}

void read_template(const JsonValue& json, PostProcessor& processor) {
  json.check_keys({"type", "single", "pair", "special_tokens"});
  const JsonValue single = json.at("single");
  bool text_seen = false;
  for (size_t i = 0; i < single.array_size(); ++i) {
    const JsonValue part = single.at(i);
    if (part.has("Sequence")) {
      if (text_seen) part.fail("a template with the text in it once");
      text_seen = true;
      continue;
    }
    const std::string& name = part.at("SpecialToken").at("id").string();
    for (const int64_t id : json.at("special_tokens").at(name).at("ids").integers(kIds)) {
      (text_seen ? processor.after : processor.before).push_back(static_cast<int32_t>(id));
    }
    check_count(part, processor);
  }
  if (!text_seen) single.fail("a template with {\"Sequence\": ...} in it");
}

void read_trim(const JsonValue& json, PostProcessor& processor) {
  const auto setting = [&](const char* name) { return !json.has(name) || json.at(name).boolean(); };
  const bool keeps_first = setting("add_prefix_space");
  if (setting("trim_offsets")) {
    processor.trims = {keeps_first ? PostProcessor::Trim::kKeepFirst : PostProcessor::Trim::kAll};
  }
}

// Each works on what the one before it made.
void read_sequence(const JsonValue& json, PostProcessor& processor) {
  json.check_keys({"type", "processors"});
  const JsonValue list = json.at("processors");
  for (size_t i = 0; i < list.array_size(); ++i) {
    const PostProcessor part = read_post_processor(list.at(i));
    processor.before.insert(processor.before.begin(), part.before.begin(), part.before.end());
    processor.after.insert(processor.after.end(), part.after.begin(), part.after.end());
    processor.trims.insert(processor.trims.end(), part.trims.begin(), part.trims.end());
    check_count(list.at(i), processor);
  }
}

}  // namespace

PostProcessor read_post_processor(const JsonValue& json) {
  enum class Type { kTemplate, kBert, kRoberta, kByteLevel, kSequence };
  const Type type = json.at("type").one_of<Type>({{"TemplateProcessing", Type::kTemplate},
                                                  {"BertProcessing", Type::kBert},
                                                  {"RobertaProcessing", Type::kRoberta},
                                                  {"ByteLevel", Type::kByteLevel},
                                                  {"Sequence", Type::kSequence}});
  PostProcessor processor = {.before = {}, .after = {}, .trims = {}, .json = json.json()};
  if (type == Type::kTemplate) read_template(json, processor);
  if (type == Type::kSequence) read_sequence(json, processor);
  if (type == Type::kBert || type == Type::kRoberta) {
    json.check_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    processor.before = {read_named_id(json.at("cls"))};
    processor.after = {read_named_id(json.at("sep"))};
  }
  if (type == Type::kByteLevel) {
    json.check_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  }
  if (type == Type::kRoberta || type == Type::kByteLevel) read_trim(json, processor);
  return processor;
}

PostProcessor surround(const NamedId& before, const NamedId& after) {
  const auto special = [](const std::string& token, int type) -> Json {
    return {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
  };
  const auto text = [](const char* name, int type) -> Json {
    return {{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  Json tokens = Json::object();
  for (const NamedId& named : {before, after}) {
    tokens[named.token] = {{"id", named.token},
                           {"ids", Json::array({named.id})},
                           {"tokens", Json::array({named.token})}};
  }
  const Json json = {
      {"type", "TemplateProcessing"},
      {"single", Json::array({special(before.token, 0), text("A", 0), special(after.token, 0)})},
      {"pair", Json::array({special(before.token, 0), text("A", 0), special(after.token, 0),
                            text("B", 1), special(after.token, 1)})},
      {"special_tokens", tokens}};
  return {.before = {before.id}, .after = {after.id}, .trims = {}, .json = json};
}

}  // namespace heed::text
