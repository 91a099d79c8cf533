#include "heed/text/directory/settings.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

namespace fs = std::filesystem;
using Named = DirectorySettings::Named;

constexpr JsonLimits kLimits = {.max_bytes = uint64_t{64} << 20};
constexpr int64_t kMostIds = std::numeric_limits<int32_t>::max() - 1;

// Beyond this a length means that none is set (transformers writes 1e30).
constexpr double kLongestLength = 1e9;

constexpr std::array<const char*, DirectorySettings::kNamedTokens> kNames = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

AddedToken special_token(std::string content) {
  return {
      .content = std::move(content), .id = 0, .kind = AddedToken::Kind::kSpecial, .matching = {}};
}

// "[MASK]", or {"content": "[MASK]", "lstrip": true, ...}.
AddedToken read_token(const JsonValue& json, AddedToken::Kind otherwise) {
  AddedToken token;
  if (json.json().is_string()) {
    token = special_token(json.string());
  } else {
    const auto flag = [&](const char* name, bool absent) {
      return json.has(name) ? json.at(name).boolean() : absent;
    };
    token.content = json.at("content").string();
    const bool special = flag("special", otherwise == AddedToken::Kind::kSpecial);
    token.kind = special ? AddedToken::Kind::kSpecial : AddedToken::Kind::kOrdinary;
    token.matching = {.single_word = flag("single_word", false),
                      .lstrip = flag("lstrip", false),
                      .rstrip = flag("rstrip", false),
                      .normalized = flag("normalized", !special)};
  }
  if (token.content.empty()) json.fail("a token that is not empty");
  return token;
}

// The tokenizer classes of the models that Heed knows.
std::string class_of_model(const std::string& model_type) {
  static const std::map<std::string, std::string> kClasses = {
      {"albert", "AlbertTokenizer"},   {"bart", "RobertaTokenizer"},
      {"bert", "BertTokenizer"},       {"camembert", "CamembertTokenizer"},
      {"distilbert", "BertTokenizer"}, {"electra", "BertTokenizer"},
      {"gemma", "GemmaTokenizer"},     {"gemma2", "GemmaTokenizer"},
      {"gpt2", "GPT2Tokenizer"},       {"gpt_neox", "GPTNeoXTokenizer"},
      {"marian", "MarianTokenizer"},   {"mt5", "T5Tokenizer"},
      {"qwen2", "Qwen2Tokenizer"},     {"qwen3", "Qwen2Tokenizer"},
      {"roberta", "RobertaTokenizer"}, {"t5", "T5Tokenizer"},
      {"whisper", "WhisperTokenizer"}, {"xlm-roberta", "XLMRobertaTokenizer"},
  };
  const auto found = kClasses.find(model_type);
  return found == kClasses.end() ? std::string() : found->second;
}

std::string without_fast(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

}  // namespace

DirectorySettings::DirectorySettings(const fs::path& directory) : directory_(directory) {
  if (!fs::is_directory(directory)) {
    throw MissingInputError(text_of(directory.string(), ": there is no such directory"));
  }
  std::string model_type;
  if (has("config.json")) {
    const JsonValue config = read_json(directory_ / "config.json", kLimits);
    if (config.has("model_type")) model_type = config.at("model_type").string();
    if (config.has("tokenizer_class")) tokenizer_class_ = config.at("tokenizer_class").string();
  }
  if (has("tokenizer_config.json")) {
    config_ = read_json(use("tokenizer_config.json"), kLimits);
    if (config_->has("tokenizer_class")) tokenizer_class_ = config_->at("tokenizer_class").string();
    read_named(*config_);
  }
  tokenizer_class_ = without_fast(tokenizer_class_);
  // Mistral's files name Llama's class and are read as SentencePiece reads them.
  const bool mistral = model_type == "mistral" && tokenizer_class_ == "LlamaTokenizer";
  if (tokenizer_class_.empty() || mistral) tokenizer_class_ = class_of_model(model_type);

  if (config_ && config_->has("added_tokens_decoder")) {
    read_added(config_->at("added_tokens_decoder"));
    return;
  }
  // Before added_tokens_decoder there were two more files.
  if (has("special_tokens_map.json")) {
    read_named(read_json(use("special_tokens_map.json"), kLimits));
  }
  if (has("added_tokens.json")) read_added(read_json(use("added_tokens.json"), kLimits));
}

bool DirectorySettings::has(const char* file) const {
  return fs::is_regular_file(directory_ / file);
}

fs::path DirectorySettings::use(const char* file) {
  used_.push_back(directory_ / file);
  return used_.back();
}

void DirectorySettings::read_named(const JsonValue& json) {
  if (!json.json().is_object()) json.fail("an object");
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (!json.json().contains(kNames[i])) continue;
    named_[i] = {.given = true, .token = {}};
    if (json.has(kNames[i])) {
      named_[i].only_text = json.at(kNames[i]).json().is_string();
      named_[i].token = read_token(json.at(kNames[i]), AddedToken::Kind::kSpecial);
      named_[i].token->kind = AddedToken::Kind::kSpecial;
    }
  }
  std::vector<AddedToken> extra;
  bool listed = false;
  for (const char* name : {"additional_special_tokens", "extra_special_tokens"}) {
    if (!json.has(name) || !json.at(name).json().is_array()) continue;
    listed = true;
    const JsonValue list = json.at(name);
    for (size_t i = 0; i < list.array_size(); ++i) {
      extra.push_back(read_token(list.at(i), AddedToken::Kind::kSpecial));
      extra.back().kind = AddedToken::Kind::kSpecial;
    }
  }
  if (listed) extra_ = std::move(extra);
}

// {"50257": {"content": "<|im_start|>", ...}} or {"<|im_start|>": 50257}.
void DirectorySettings::read_added(const JsonValue& json) {
  if (!json.json().is_object()) json.fail("an object of added tokens");
  const IntegerRange ids = {.least = 0, .most = kMostIds};
  for (const auto& [key, value] : json.json().items()) {
    const JsonValue entry = json.at(key);
    AddedToken token;
    if (value.is_object()) {
      token = read_token(entry, AddedToken::Kind::kOrdinary);
      int64_t id = 0;
      for (const char digit : key) {
        if (digit < '0' || digit > '9' || id > kMostIds) entry.fail("an id as its key");
        id = 10 * id + (digit - '0');
      }
      if (key.empty() || id > kMostIds) entry.fail("an id as its key");
      token.id = static_cast<int32_t>(id);
    } else {
      if (key.empty()) json.fail("tokens that are not empty");
      token.content = key;
      token.id = static_cast<int32_t>(entry.integer(ids));
      const auto is_it = [&](const AddedToken& other) { return other.content == token.content; };
      const bool special =
          std::any_of(named_.begin(), named_.end(),
                      [&](const Name& name) { return name.token && is_it(*name.token); }) ||
          std::any_of(extra_.begin(), extra_.end(), is_it);
      token.kind = special ? AddedToken::Kind::kSpecial : AddedToken::Kind::kOrdinary;
      token.matching.normalized = !special;
    }
    listed_.push_back(std::move(token));
  }
  std::stable_sort(listed_.begin(), listed_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
}

std::optional<bool> DirectorySettings::flag(const char* name) const {
  if (!config_ || !config_->has(name)) return std::nullopt;
  return config_->at(name).boolean();
}

int64_t DirectorySettings::count(const char* name, int64_t otherwise) const {
  if (!config_ || !config_->has(name)) return otherwise;
  return config_->at(name).integer({.least = 0, .most = 1 << 20});
}

std::optional<std::string> DirectorySettings::string(const char* name) const {
  if (!config_ || !config_->has(name)) return std::nullopt;
  return config_->at(name).string();
}

void DirectorySettings::set_default(Named name, const std::string& content) {
  Name& entry = named_[static_cast<size_t>(name)];
  if (!entry.given) entry = {.given = true, .token = special_token(content)};
}

void DirectorySettings::set_lstrip(Named name) {
  Name& entry = named_[static_cast<size_t>(name)];
  if (entry.token && entry.only_text) entry.token->matching.lstrip = true;
}

const AddedToken* DirectorySettings::named(Named name) const {
  const Name& entry = named_[static_cast<size_t>(name)];
  return entry.token ? &*entry.token : nullptr;
}

const std::string& DirectorySettings::content(Named name) const {
  const AddedToken* token = named(name);
  if (token != nullptr) return token->content;
  throw DataError(
      (directory_ / "tokenizer_config.json").string(),
      text_of("field '", kNames[static_cast<size_t>(name)], "': expected a token, found null"));
}

std::vector<AddedToken> DirectorySettings::added_tokens(const Vocabulary& vocabulary) const {
  std::vector<AddedToken> tokens;
  int32_t next = vocabulary.size();
  const auto add = [&](AddedToken token) {
    const auto same = [&](const AddedToken& other) { return other.content == token.content; };
    if (std::any_of(tokens.begin(), tokens.end(), same)) return;
    const int32_t known = vocabulary.id_of(token.content);
    token.id = known == kNoId ? next++ : known;
    tokens.push_back(std::move(token));
  };
  for (const AddedToken& listed : listed_) {
    AddedToken token = listed;
    for (const Name& name : named_) {
      if (name.token && name.token->content == token.content)
        token.kind = AddedToken::Kind::kSpecial;
    }
    add(std::move(token));
    if (tokens.back().content == listed.content && tokens.back().id != listed.id) {
      throw DataError(
          directory_.string(),
          text_of("added token ", excerpt(listed.content), ": expected the id ", tokens.back().id,
                  ", which the vocabulary leaves it, found ", listed.id));
    }
  }
  for (const Name& name : named_) {
    if (name.token) add(*name.token);
  }
  for (const AddedToken& token : own_) add(token);
  for (const AddedToken& token : extra_) add(token);
  std::sort(tokens.begin(), tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return tokens;
}

std::optional<int32_t> DirectorySettings::max_length() const {
  const auto length = [](const JsonValue& json, const char* field) -> std::optional<int32_t> {
    if (!json.has(field)) return std::nullopt;
    const double value = json.at(field).number({.least = 1});
    if (value > kLongestLength) return std::nullopt;
    return static_cast<int32_t>(value);
  };
  if (has("sentence_bert_config.json")) {
    const JsonValue json = read_json(directory_ / "sentence_bert_config.json", kLimits);
    if (const auto found = length(json, "max_seq_length")) return found;
  }
  if (!config_) return std::nullopt;
  return length(*config_, config_->has("model_max_length") ? "model_max_length" : "max_len");
}

std::optional<std::string> DirectorySettings::side(const char* name) const {
  if (!config_ || !config_->has(name)) return std::nullopt;
  config_->at(name).one_of<int>({{"right", 0}, {"left", 1}});
  return config_->at(name).string();
}

TemplatePart special_part(const DirectorySettings& settings, Named name,
                          std::span<const AddedToken> tokens, int32_t type_id) {
  const std::string& content = settings.content(name);
  for (const AddedToken& token : tokens) {
    if (token.content == content) return {.token = content, .id = token.id, .type_id = type_id};
  }
  throw DataError(settings.directory().string(),
                  text_of("the special token ", excerpt(content), " has no id"));
}

PostProcessor ends_processor(const DirectorySettings& settings,
                             std::span<const AddedToken> tokens) {
  const bool bos = settings.flag("add_bos_token", false) && settings.named(Named::kBos) != nullptr;
  const bool eos = settings.flag("add_eos_token", false) && settings.named(Named::kEos) != nullptr;
  const auto around = [&](const char* text, int32_t type) {
    std::vector<TemplatePart> parts;
    if (bos) parts.push_back(special_part(settings, Named::kBos, tokens, type));
    parts.push_back({.token = text, .type_id = type});
    if (eos) parts.push_back(special_part(settings, Named::kEos, tokens, type));
    return parts;
  };
  const std::vector<TemplatePart> single = around("A", 0);
  std::vector<TemplatePart> pair = single;
  const std::vector<TemplatePart> second = around("B", 1);
  pair.insert(pair.end(), second.begin(), second.end());
  return template_processor(single, pair);
}

}  // namespace heed::text
