#include "heed/text/post_processor.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/base/error.h"

namespace heed::text {
namespace {

using Part = PostProcessor::Part;
using Kind = Part::Kind;

constexpr IntegerRange kIds = {.least = 0, .most = std::numeric_limits<int32_t>::max() - 1};

constexpr size_t kMostSpecials = 1024;  // around a text

// ["[SEP]", 102]
int32_t read_named_id(const JsonValue& json) {
  if (json.array_size() != 2) json.fail("a token and its id, [\"[SEP]\", 102]");
  json.at(size_t{0}).string();
  return static_cast<int32_t>(json.at(1).integer(kIds));
}

void check_count(const JsonValue& part, size_t count) {
  if (count > kMostSpecials) {
    part.fail(text_of("at most ", kMostSpecials, " special tokens around a text"));
  }
}

// {"id": ..., "type_id": 0}
int32_t read_type_id(const JsonValue& json) {
  return json.has("type_id") ? static_cast<int32_t>(json.at("type_id").integer(kIds)) : 0;
}

PostProcessor::Template read_template(const JsonValue& list, const JsonValue& specials) {
  PostProcessor::Template parts;
  for (size_t i = 0; i < list.array_size(); ++i) {
    const JsonValue entry = list.at(i);
    if (entry.has("Sequence")) {
      const JsonValue text = entry.at("Sequence");
      parts.push_back(
          {.kind = text.at("id").one_of<Kind>({{"A", Kind::kFirst}, {"B", Kind::kSecond}}),
           .type_id = read_type_id(text)});
    } else {
      const JsonValue special = entry.at("SpecialToken");
      const std::string& name = special.at("id").string();
      for (const int64_t id : specials.at(name).at("ids").integers(kIds)) {
        parts.push_back({.kind = Kind::kSpecial,
                         .id = static_cast<int32_t>(id),
                         .type_id = read_type_id(special)});
      }
    }
    check_count(entry, parts.size());
  }
  return parts;
}

void read_templates(const JsonValue& json, PostProcessor& processor) {
  json.check_keys({"type", "single", "pair", "special_tokens"});
  const JsonValue specials = json.at("special_tokens");
  processor.single = read_template(json.at("single"), specials);
  if (json.has("pair")) processor.pair = read_template(json.at("pair"), specials);
  const auto texts = [&](Kind kind) {
    return std::count_if(processor.single.begin(), processor.single.end(),
                         [&](const Part& part) { return part.kind == kind; });
  };
  if (texts(Kind::kFirst) != 1 || texts(Kind::kSecond) != 0) {
    json.at("single").fail("a template with {\"Sequence\": {\"id\": \"A\", ...}} in it once");
  }
}

// [CLS] A [SEP] B [SEP]: types 0 and 1 in BERT, in RoBERTa 0 alone and two separators.
void read_around(const JsonValue& json, bool roberta, PostProcessor& processor) {
  json.check_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
  const int32_t second_type = roberta ? 0 : 1;
  const auto special = [](int32_t id, int32_t type) {
    return Part{.kind = Kind::kSpecial, .id = id, .type_id = type};
  };
  const int32_t sep = read_named_id(json.at("sep"));
  processor.single = {
      special(read_named_id(json.at("cls")), 0), {.kind = Kind::kFirst}, special(sep, 0)};
  processor.pair = processor.single;
  if (roberta) processor.pair.push_back(special(sep, 0));
  processor.pair.push_back({.kind = Kind::kSecond, .type_id = second_type});
  processor.pair.push_back(special(sep, second_type));
}

void read_trim(const JsonValue& json, PostProcessor& processor) {
  const auto setting = [&](const char* name) { return !json.has(name) || json.at(name).boolean(); };
  const bool keeps_first = setting("add_prefix_space");
  if (setting("trim_offsets")) {
    processor.trims = {keeps_first ? PostProcessor::Trim::kKeepFirst : PostProcessor::Trim::kAll};
  }
}

enum class Type : uint8_t { kTemplate, kBert, kRoberta, kByteLevel, kSequence };

Type type_of(const JsonValue& json) {
  return json.at("type").one_of<Type>({{"TemplateProcessing", Type::kTemplate},
                                       {"BertProcessing", Type::kBert},
                                       {"RobertaProcessing", Type::kRoberta},
                                       {"ByteLevel", Type::kByteLevel},
                                       {"Sequence", Type::kSequence}});
}

// Each works on what the one before it made.
void read_sequence(const JsonValue& json, PostProcessor& processor) {
  json.check_keys({"type", "processors"});
  const JsonValue list = json.at("processors");
  bool around = false;
  for (size_t i = 0; i < list.array_size(); ++i) {
    const Type type = type_of(list.at(i));
    if (type == Type::kSequence) list.at(i).fail("a processor that is no sequence");
    PostProcessor part = read_post_processor(list.at(i));
    if (type != Type::kByteLevel) {
      if (around) list.at(i).fail("one processor that adds tokens, the others \"ByteLevel\"");
      around = true;
      processor.single = std::move(part.single);
      processor.pair = std::move(part.pair);
    }
    processor.trims.insert(processor.trims.end(), part.trims.begin(), part.trims.end());
    check_count(list.at(i), processor.trims.size());
  }
}

}  // namespace

size_t specials_in(const PostProcessor::Template& parts) {
  return static_cast<size_t>(std::count_if(
      parts.begin(), parts.end(), [](const Part& part) { return part.kind == Kind::kSpecial; }));
}

PostProcessor read_post_processor(const JsonValue& json) {
  PostProcessor processor;
  processor.json = json.json();
  switch (type_of(json)) {
    case Type::kTemplate:
      read_templates(json, processor);
      break;
    case Type::kBert:
      read_around(json, false, processor);
      break;
    case Type::kRoberta:
      read_around(json, true, processor);
      read_trim(json, processor);
      break;
    case Type::kByteLevel:
      json.check_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      read_trim(json, processor);
      break;
    case Type::kSequence:
      read_sequence(json, processor);
      break;
  }
  return processor;
}

PostProcessor template_processor(const std::vector<TemplatePart>& single,
                                 const std::vector<TemplatePart>& pair) {
  Json tokens = Json::object();
  const auto to_json = [&](const std::vector<TemplatePart>& parts) {
    Json list = Json::array();
    for (const TemplatePart& part : parts) {
      const bool special = part.id >= 0;
      list.push_back({{special ? "SpecialToken" : "Sequence",
                       {{"id", part.token}, {"type_id", part.type_id}}}});
      if (special) {
        tokens[part.token] = {{"id", part.token},
                              {"ids", Json::array({part.id})},
                              {"tokens", Json::array({part.token})}};
      }
    }
    return list;
  };
  Json json = {{"type", "TemplateProcessing"}};
  json["single"] = to_json(single);
  json["pair"] = to_json(pair);
  json["special_tokens"] = std::move(tokens);
  return read_post_processor(JsonValue(std::move(json), "post_processor"));
}

}  // namespace heed::text
