#include "heed/models/published/generation_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "heed/base/error.h"
#include "heed/inference/generation_fields.h"
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

  // Throws unless the field is missing, null, or has the value that changes nothing.
  void expect(std::string_view name, const Json& neutral) const {
    const Config& from = of(name);
    if (!from.has(name) || from.json().at(name).json() == neutral) return;
    from.json().at(name).fail(neutral.dump() + ": Heed has nothing else");
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

// What Heed does not have of transformers' generate(), where it would change what is written: each
// has null or this value, otherwise the model is refused.
void refuse_others(const Source& source) {
  struct Setting {
    const char* name;
    Json neutral = nullptr;
    bool of_sampling = false;
  };
  const Setting others[] = {
      {"num_beam_groups", 1},
      {"diversity_penalty", 0},
      {"penalty_alpha", 0},
      {"encoder_no_repeat_ngram_size", 0},
      {"encoder_repetition_penalty", 1},
      {"guidance_scale", 1},
      {"num_return_sequences", 1},
      {"token_healing", false},
      {"sequence_bias"},
      {"exponential_decay_length_penalty"},
      {"force_words_ids"},
      {"constraints"},
      {"stop_strings"},
      {"max_time"},
      {"watermarking_config"},
      {"dola_layers"},
      {"typical_p", 1, true},
      {"epsilon_cutoff", 0, true},
      {"eta_cutoff", 0, true},
      {"top_h", nullptr, true},
  };
  const bool samples = source.of("do_sample").boolean({"do_sample"}, false);
  for (const Setting& each : others) {
    if (samples || !each.of_sampling) source.expect(each.name, each.neutral);
  }
}

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& directory,
                                        const Config& config) {
  const Source source(directory, config);
  const auto integer = [&](std::string_view name, int64_t usual) {
    return source.of(name).integer({name}, usual, {.least = 0, .most = nn::kLargestSize});
  };
  refuse_others(source);
  GenerationConfig read{
      .decoder_start_token_id = source.id("decoder_start_token_id"),
      .eos_token_ids = source.ids("eos_token_id"),
      .forced_bos_token_id = source.id("forced_bos_token_id"),
      .forced_eos_token_id = source.id("forced_eos_token_id"),
      .suppress_tokens = source.ids("suppress_tokens"),
      .begin_suppress_tokens = source.ids("begin_suppress_tokens"),
      .min_length = integer("min_length", 0),
      .do_sample = source.of("do_sample").boolean({"do_sample"}, false),
      .renormalize_logits = source.of("renormalize_logits").boolean({"renormalize_logits"}, false),
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

int64_t least_new_tokens(const GenerationConfig& config, int64_t prompt_length) {
  return config.min_new_tokens.value_or(std::max<int64_t>(0, config.min_length - prompt_length));
}

}  // namespace heed::models::published
