#include "heed/models/published/generation_config.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "heed/base/error.h"
#include "heed/inference/fields.h"
#include "heed/io/json.h"

namespace heed::models::published {
namespace {

constexpr uint64_t kMostGenerationBytes = uint64_t{4} << 20;

// The fields of generation_config.json, or of config.json where there is none, as transformers has
// it; the ids with which a text begins and ends stand in either.
class Source {
 public:
  Source(const std::filesystem::path& directory, const Config& config) : config_(config) {
    const std::filesystem::path file = directory / "generation_config.json";
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
      own_.emplace(read_json(file, {.max_bytes = kMostGenerationBytes}));
    }
  }

  const Config& of(std::string_view name) const {
    const bool of_model = name == "decoder_start_token_id" || name == "eos_token_id";
    return own_ && (own_->has(name) || !of_model) ? *own_ : config_;
  }

  std::optional<int64_t> id(std::string_view name) const {
    const Config& from = of(name);
    if (!from.has(name)) return std::nullopt;
    return from.json().at(name).integer({.least = 0, .most = nn::kLargestSize});
  }

  // One or several.
  std::vector<int64_t> ids(std::string_view name) const {
    const Config& from = of(name);
    if (!from.has(name)) return {};
    const JsonValue value = from.json().at(name);
    if (!value.json().is_array()) return {*id(name)};
    return value.integers({.least = 0, .most = nn::kLargestSize});
  }

  // Throws unless the field is missing or has one of the values that change nothing.
  void expect(std::string_view name, std::initializer_list<Json> values) const {
    const Config& from = of(name);
    if (!from.has(name)) return;
    for (const Json& value : values) {
      if (from.json().at(name).json() == value) return;
    }
    from.json().at(name).fail(values.begin()->dump() + ": Heed has nothing else");
  }

 private:
  const Config& config_;
  std::optional<Config> own_;
};

// Those of the list, each within its range; what the file does not say stays as it is.
class GenerationFields {
 public:
  explicit GenerationFields(const Source& source) : source_(source) {}

  void operator()(const nn::Field& field, int64_t& value) const {
    value = source_.of(field.name).integer({field.name}, value, integers(field));
  }
  void operator()(const nn::Field& field, std::optional<int64_t>& value) const {
    const Config& from = source_.of(field.name);
    if (from.has(field.name)) value = from.integer({field.name}, 0, integers(field));
  }
  void operator()(const nn::Field& field, double& value) const {
    value = source_.of(field.name)
                .number({field.name}, value, {.least = field.least, .most = field.most});
  }

 private:
  static IntegerRange integers(const nn::Field& field) {
    return {.least = static_cast<int64_t>(field.least), .most = static_cast<int64_t>(field.most)};
  }

  const Source& source_;
};

// "de" of "de" and "<|de|>".
std::string bare_language(std::string name) {
  constexpr std::string_view kBegin = "<|";
  constexpr std::string_view kEnd = "|>";
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return name;
  return name.substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size());
}

// What Whisper begins with: language, task, and the tokens that stand for them.
void read_prompt(const Source& source, GenerationConfig& read) {
  const IntegerRange kToken{.least = 0, .most = nn::kLargestSize};
  const auto text = [&](std::string_view name) { return source.of(name).text({name}, ""); };
  read.language = bare_language(text("language"));
  read.task = text("task");
  if (!read.task.empty()) {
    source.of("task").json().at("task").one_of<bool>({{"transcribe", true}, {"translate", true}});
  }
  const Config& languages = source.of("lang_to_id");
  if (languages.has("lang_to_id")) {
    const JsonValue ids = languages.json().at("lang_to_id");
    if (!ids.json().is_object()) ids.fail("an object of languages and their tokens");
    for (const auto& [name, id] : ids.json().items()) {
      read.language_ids.push_back(ids.at(name).integer(kToken));
    }
    std::sort(read.language_ids.begin(), read.language_ids.end());
  }
  const Config& forced = source.of("forced_decoder_ids");
  if (!forced.has("forced_decoder_ids") || !read.language.empty() || !read.task.empty()) return;
  const JsonValue places = forced.json().at("forced_decoder_ids");
  for (size_t i = 0; i < places.array_size(); ++i) {
    const JsonValue place = places.at(i);
    if (place.array_size() != 2) place.fail("a place and a token");
    const int64_t at = place.at(size_t{0}).integer(kToken);
    if (at > 2 || place.at(size_t{1}).is_null()) continue;  // behind them, whether there are times
    const int64_t id = place.at(size_t{1}).integer(kToken);
    if (at == 1) read.forced_language_id = id;
    if (at == 2) read.forced_task_id = id;
  }
}

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& directory,
                                        const Config& config) {
  const Source source(directory, config);
  const auto integer = [&](std::string_view name, int64_t usual) {
    return source.of(name).integer({name}, usual, {.least = 0, .most = nn::kLargestSize});
  };
  for (const char* name :
       {"num_beam_groups", "diversity_penalty", "penalty_alpha", "encoder_no_repeat_ngram_size"}) {
    source.expect(name, {0, 0.0, 1});
  }
  GenerationConfig read{.decoder_start_token_id = source.id("decoder_start_token_id"),
                        .eos_token_ids = source.ids("eos_token_id"),
                        .forced_bos_token_id = source.id("forced_bos_token_id"),
                        .forced_eos_token_id = source.id("forced_eos_token_id"),
                        .suppress_tokens = source.ids("suppress_tokens"),
                        .begin_suppress_tokens = source.ids("begin_suppress_tokens"),
                        .no_repeat_ngram_size = integer("no_repeat_ngram_size", 0),
                        .do_sample = source.of("do_sample").boolean({"do_sample"}, false),
                        .no_timestamps_token_id = source.id("no_timestamps_token_id"),
                        .max_initial_timestamp_index = source.id("max_initial_timestamp_index")};
  inference::visit_generation_fields(read, GenerationFields(source));
  const Config& languages = source.of("is_multilingual");
  if (languages.has("is_multilingual")) {
    read.is_multilingual = languages.json().at("is_multilingual").boolean();
  }
  if (config.text({"model_type"}, "") == "whisper") read_prompt(source, read);
  const Config& stopping = source.of("early_stopping");
  if (stopping.has("early_stopping")) {
    const JsonValue value = stopping.json().at("early_stopping");
    using EarlyStopping = GenerationConfig::EarlyStopping;
    if (value.json().is_boolean()) {
      read.early_stopping = value.boolean() ? EarlyStopping::kTrue : EarlyStopping::kFalse;
    } else {
      read.early_stopping = value.one_of<EarlyStopping>({{"never", EarlyStopping::kNever}});
    }
  }
  if (source.of("max_length").has("max_length")) read.max_length = integer("max_length", 0);
  const Config& words = source.of("bad_words_ids");
  if (words.has("bad_words_ids")) {
    const JsonValue all = words.json().at("bad_words_ids");
    for (size_t i = 0; i < all.array_size(); ++i) {
      if (all.at(i).array_size() != 1) all.at(i).fail("one token: Heed forbids no longer ones");
      read.suppress_tokens.push_back(all.at(i).at(0).integer({.least = 0}));
    }
  }
  return read;
}

}  // namespace heed::models::published
