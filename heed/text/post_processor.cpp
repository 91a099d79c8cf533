#include "heed/text/post_processor.h"

#include <limits>
#include <string>

namespace heed::text {
namespace {

constexpr IntegerRange kIds = {.least = 0, .most = std::numeric_limits<int32_t>::max() - 1};

// ["[SEP]", 102]
int32_t read_named_id(const JsonValue& json) {
  if (json.array_size() != 2) json.fail("a token and its id, [\"[SEP]\", 102]");
  json.at(size_t{0}).string();
  return static_cast<int32_t>(json.at(1).integer(kIds));
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
  }
  if (!text_seen) single.fail("a template with {\"Sequence\": ...} in it");
}

}  // namespace

PostProcessor read_post_processor(const JsonValue& json) {
  enum class Type { kTemplate, kBert, kRoberta, kByteLevel };
  const Type type = json.at("type").one_of<Type>({{"TemplateProcessing", Type::kTemplate},
                                                  {"BertProcessing", Type::kBert},
                                                  {"RobertaProcessing", Type::kRoberta},
                                                  {"ByteLevel", Type::kByteLevel}});
  PostProcessor processor = {.before = {}, .after = {}, .json = json.json()};
  if (type == Type::kTemplate) read_template(json, processor);
  if (type == Type::kBert || type == Type::kRoberta) {
    json.check_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    processor.before = {read_named_id(json.at("cls"))};
    processor.after = {read_named_id(json.at("sep"))};
  }
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
  return {.before = {before.id}, .after = {after.id}, .json = json};
}

}  // namespace heed::text
