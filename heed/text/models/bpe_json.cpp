// BPE models to and from tokenizer.json.
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/models/bpe.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

std::string string_or_empty(const JsonValue& json, const char* field) {
  return json.has(field) ? json.at(field).string() : std::string();
}

bool boolean_or_false(const JsonValue& json, const char* field) {
  return json.has(field) && json.at(field).boolean();
}

// ["a", "b"], or "a b" as older files have it. Empty parts: it is neither.
Merge read_merge(const Json& json) {
  if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string()) {
    return {json[0].get<std::string>(), json[1].get<std::string>()};
  }
  if (!json.is_string()) return {};
  const auto& text = json.get_ref<const std::string&>();
  const size_t blank = text.find(' ');
  if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) return {};
  return {text.substr(0, blank), text.substr(blank + 1)};
}

std::vector<Merge> read_merges(const JsonValue& json) {
  std::vector<Merge> merges;
  merges.reserve(json.array_size());
  size_t at = 0;
  for (const Json& entry : json.json()) {
    merges.push_back(read_merge(entry));
    if (merges.back().left.empty() || merges.back().right.empty()) {
      json.at(at).fail("two tokens, as [\"a\", \"b\"] or \"a b\"");
    }
    ++at;
  }
  return merges;
}

OrderedJson null_if_empty(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

}  // namespace

ModelPointer Bpe::read(const JsonValue& json) {
  json.check_keys({"type", "dropout", "unk_token", "continuing_subword_prefix",
                   "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                   "merges"});
  if (json.has("dropout") && json.at("dropout").number() != 0) {
    json.at("dropout").fail("null or 0 (Heed merges without dropout)");
  }
  Vocabulary vocabulary = Vocabulary::read(json.at("vocab"));
  BpeSettings settings = {
      .unknown_token = {},
      .continuing_subword_prefix = string_or_empty(json, "continuing_subword_prefix"),
      .end_of_word_suffix = string_or_empty(json, "end_of_word_suffix"),
      .fuse_unknown = boolean_or_false(json, "fuse_unk"),
      .byte_fallback = boolean_or_false(json, "byte_fallback"),
      .ignore_merges = boolean_or_false(json, "ignore_merges")};
  if (json.has("unk_token")) {
    settings.unknown_token = json.at("unk_token").string();
    if (vocabulary.id_of(*settings.unknown_token) == kNoId) {
      json.at("unk_token").fail("a token of the vocabulary");
    }
  }
  try {
    return std::make_shared<Bpe>(std::move(vocabulary), read_merges(json.at("merges")),
                                 std::move(settings));
  } catch (const UsageError& error) {
    throw DataError(json.file(), text_of("field '", json.path(), ".merges': ", error.what()));
  }
}

OrderedJson Bpe::to_json() const {
  OrderedJson::array_t merges;
  merges.reserve(merges_.size());
  for (const Merge& merge : merges_) merges.push_back({merge.left, merge.right});
  OrderedJson json;
  json["type"] = type();
  json["dropout"] = nullptr;
  json["unk_token"] = null_if_empty(settings_.unknown_token.value_or(""));
  json["continuing_subword_prefix"] = null_if_empty(settings_.continuing_subword_prefix);
  json["end_of_word_suffix"] = null_if_empty(settings_.end_of_word_suffix);
  json["fuse_unk"] = settings_.fuse_unknown;
  json["byte_fallback"] = settings_.byte_fallback;
  json["ignore_merges"] = settings_.ignore_merges;
  json["vocab"] = vocabulary_.to_json();
  json["merges"] = std::move(merges);
  return json;
}

}  // namespace heed::text
