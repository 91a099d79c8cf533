#include "heed/models/published/generation_config.h"

#include <initializer_list>
#include <string_view>

#include "heed/base/error.h"
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

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& directory,
                                        const Config& config) {
  const Source source(directory, config);
  const auto integer = [&](std::string_view name, int64_t usual) {
    return source.of(name).integer({name}, usual, {.least = 0, .most = nn::kLargestSize});
  };
  const auto number = [&](std::string_view name, double usual) {
    return source.of(name).number({name}, usual, {.least = -1e6, .most = 1e6});
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
                        .temperature = number("temperature", 1),
                        .top_k = integer("top_k", 50),
                        .top_p = number("top_p", 1),
                        .repetition_penalty = number("repetition_penalty", 1),
                        .num_beams = integer("num_beams", 1),
                        .length_penalty = number("length_penalty", 1),
                        .min_p = number("min_p", 0),
                        .no_timestamps_token_id = source.id("no_timestamps_token_id"),
                        .max_initial_timestamp_index = source.id("max_initial_timestamp_index")};
  const Config& languages = source.of("is_multilingual");
  if (languages.has("is_multilingual")) {
    read.is_multilingual = languages.json().at("is_multilingual").boolean();
  }
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
  for (const auto& [name, value] :
       {std::pair{"max_new_tokens", &read.max_new_tokens}, {"max_length", &read.max_length}}) {
    if (source.of(name).has(name)) *value = integer(name, 0);
  }
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
