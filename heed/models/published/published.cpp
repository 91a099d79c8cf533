#include "heed/models/published/published.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/models/parts/head.h"
#include "heed/models/parts/token_input.h"
#include "heed/models/published/published_parts.h"
#include "heed/models/published/weights.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/nn/parameters/init.h"

namespace heed::models::published {
namespace {

constexpr uint64_t kMostConfigBytes = uint64_t{16} << 20;

JsonValue read_config(const Folders& folders) {
  return read_json(folders.that_has("config.json") / "config.json",
                   {.max_bytes = kMostConfigBytes});
}

const Architecture& architecture_of(const Config& config, const LoadOptions& options) {
  if (!options.model_type.empty()) return find_architecture(options.model_type);
  try {
    return find_architecture(model_type_of(config.json()));
  } catch (const UsageError& unknown) {
    throw DataError(config.json().file(), text_of("field 'model_type': ", unknown.what()));
  }
}

// By what an adapter says that it is for; or by the class that config.json names; without one, and
// of a sentence-transformer, the features.
Purpose purpose_of(const Folders& folders, const Config& config, const Architecture& architecture,
                   const LoadOptions& options) {
  if (options.purpose) return *options.purpose;
  if (folders.is_adapter()) {
    if (const auto purpose = purpose_of_adapter(folders.directory())) return *purpose;
  }
  const auto named = config.has("architectures") ? config.json().at("architectures").strings()
                                                 : std::vector<std::string>();
  for (const std::string& name : named) {
    for (const ClassName& known : architecture.classes) {
      if (known.name == name) return known.purpose;
    }
  }
  const bool has_features = class_of(architecture, Purpose::kFeatures) != nullptr;
  if (has_features && (named.empty() || folders.find("modules.json"))) return Purpose::kFeatures;
  throw DataError(config.json().file(),
                  text_of("field 'architectures': expected one of ",
                          joined(architecture.classes, ", ", &ClassName::name), ", found ",
                          named.empty() ? "none" : joined(named)));
}

// Whether a model of config.json is to have other labels than it has.
bool has_other_labels(const Config& config, const std::vector<std::string>& labels) {
  return !labels.empty() && config.labels() != labels;
}

// The config with other labels.
Config relabelled(const Config& config, const std::vector<std::string>& labels) {
  if (!has_other_labels(config, labels)) return config;
  Json json = config.json().json();
  Json names = Json::object();
  Json ids = Json::object();
  for (size_t i = 0; i < labels.size(); ++i) {
    names[std::to_string(i)] = labels[i];
    ids[labels[i]] = i;
  }
  json["id2label"] = std::move(names);
  json["label2id"] = std::move(ids);
  json.erase("num_labels");
  json.erase("problem_type");
  return Config(JsonValue(std::move(json), config.json().file()));
}

void check_purpose(const Architecture& architecture, Purpose purpose) {
  check_usage(class_of(architecture, purpose) != nullptr, architecture.model_type, ": Heed has no ",
              name_of(purpose), " for it, only ",
              joined(architecture.classes, ", ", &ClassName::name));
}

bool has_head(const HeadOptions& head) { return head.outputs > 0 || head.d_inner > 0; }

bool has_labels(Purpose purpose) {
  return purpose == Purpose::kSequenceClassification || purpose == Purpose::kTokenClassification ||
         purpose == Purpose::kImageClassification;
}

bool writes(Purpose purpose) {
  return purpose == Purpose::kCausalLm || purpose == Purpose::kConditionalGeneration ||
         purpose == Purpose::kSpeechToText;
}

// Which of them are read stands at Weights.
void check_quantization(const Config& config, const Plan& plan) {
  if (!config.has("quantization_config")) return;
  const JsonValue settings = config.json().at("quantization_config");
  const bool by_bits = settings.at("quant_method")
                           .one_of<bool>({{"bitsandbytes", true}, {"compressed-tensors", false}});
  if (!by_bits) {
    settings.at("format").one_of<bool>({{"int-quantized", true}});
  } else if (settings.has("load_in_4bit") && settings.at("load_in_4bit").boolean()) {
    settings.at("load_in_4bit").fail("false: 8 bits are read");
  }
  for (const Rule& rule : plan.network_rules) {
    if (rule.layout != Layout::kTransposed) continue;
    settings.fail("none: of this architecture Heed reads no weights of 8 bits");
  }
}

// What is wrong with a config stands in the config.
template <typename Make>
auto from_config(const Config& config, const Make& make) {
  try {
    return make();
  } catch (const UsageError& error) {
    throw DataError(config.json().file(), error.what());
  }
}

}  // namespace

Purpose purpose_in(const std::filesystem::path& directory, const LoadOptions& options) {
  const Folders folders(directory, options.base);
  const Config config(read_config(folders));
  return purpose_of(folders, config, architecture_of(config, options), options);
}

Config config_in(const std::filesystem::path& directory) {
  return Config(read_config(Folders(directory)));
}

std::vector<std::string> labels_in(const std::filesystem::path& directory) {
  return config_in(directory).labels();
}

Published::Published(const std::filesystem::path& directory, const LoadOptions& options)
    : parts_(std::make_unique<Parts>(Folders(directory, options.base))),
      config_(Config(read_config(parts_->folders))) {
  const bool other_labels = has_other_labels(config_, options.labels);
  config_ = relabelled(config_, options.labels);
  architecture_ = &architecture_of(config_, options);
  purpose_ = purpose_of(parts_->folders, config_, *architecture_, options);
  check_purpose(*architecture_, purpose_);
  if (writes(purpose_)) {
    generation_ =
        read_generation_config(parts_->folders.that_has("generation_config.json"), config_);
  }
  check_no_variant(parts_->folders.base());
  const Weights weights(parts_->folders, bases_of(*architecture_));
  if (has_labels(purpose_)) {
    if (!other_labels) relabel_by_adapter(weights);
    labels_ = config_.labels();
  }
  config_ = Config(config_.json(), weights.names());
  parts_->plan = from_config(config_, [&] { return architecture_->plan(config_, purpose_); });
  check_quantization(config_, parts_->plan);
  check_sizes(parts_->plan, weights);
  const nn::SkipInit from_file;
  torch::nn::Module& network = from_config(
      config_,
      [&]() -> std::reference_wrapper<torch::nn::Module> { return make_network(parts_->plan); });
  const Assembled body =
      assemble(network, parts_->plan.network_rules, parts_->plan, weights, Missing::kRefuse);
  parts_->origins = body.origins;
  std::set<std::string> used(body.used.begin(), body.used.end());
  if (has_head(parts_->plan.head)) {
    const auto tokens = encoder_ ? encoder_->input->embedding : nullptr;
    head_ = register_module("head", std::make_shared<Head>(parts_->plan.head, tokens));
    Assembled top =
        assemble(*head_, parts_->plan.head_rules, parts_->plan, weights, Missing::kBeginAnew);
    used.insert(top.used.begin(), top.used.end());
    fresh_ = std::move(top.fresh);
    std::move(top.origins.begin(), top.origins.end(), std::back_inserter(parts_->origins));
    if (other_labels && head_->output) begin_output_anew();
  }
  if (parts_->folders.is_adapter()) read_adapter(weights, used);
  for (const std::string& name : weights.names()) {
    if (used.count(name) == 0) left_out_.push_back(name);
  }
  eval();
}

Published::~Published() = default;

std::string_view Published::model_type() const { return architecture_->model_type; }

bool Published::has_adapter() const { return parts_->adapter != nullptr; }

const std::filesystem::path& Published::directory() const { return parts_->folders.directory(); }

const Folders& Published::folders() const { return parts_->folders; }

// An adapter without a config.json of its own has as many classes as its head has rows.
void Published::relabel_by_adapter(const Weights& weights) {
  const Folders& from = parts_->folders;
  if (!from.is_adapter() || from.that_has("config.json") == from.directory()) return;
  for (const char* name : {"classifier.weight", "classifier.out_proj.weight",
                           "classification_head.out_proj.weight", "score.weight"}) {
    const at::Tensor rows = weights.find(name);
    if (!rows.defined() || rows.size(0) == std::ssize(config_.labels())) continue;
    std::vector<std::string> labels;
    for (int64_t i = 0; i < rows.size(0); ++i) labels.push_back(text_of("LABEL_", i));
    config_ = relabelled(config_, labels);
  }
}

AdaptedModel Published::adapted() const {
  return {.module = *this,
          .origins = parts_->origins,
          .plan = parts_->plan,
          .base = std::string(base_of(*architecture_, purpose_)),
          .purpose = purpose_,
          .fresh = {fresh_.begin(), fresh_.end()}};
}

void Published::read_adapter(const Weights& weights, std::set<std::string>& used) {
  parts_->adapter =
      std::make_unique<Adapter>(adapted(), parts_->folders.directory(), weights, used);
  for (const std::string& name : weights.names()) {
    if (used.count(name) > 0 || name.find(".lora_") == std::string::npos) continue;
    throw DataError((parts_->folders.directory() / kAdapterWeights).string(),
                    "tensor " + excerpt(name) + ": this model has no linear layer for it");
  }
}

void Published::add_adapter(const AdapterOptions& options) {
  check_usage(parts_->adapter == nullptr, "lora_r: ", directory().string(),
              " has an adapter already, which learns on; leave it out, or merge that first");
  parts_->adapter = std::make_unique<Adapter>(adapted(), options);
  freeze_but_adapter();
}

void Published::freeze_but_adapter() { parts_->adapter->freeze_others(adapted()); }

void Published::merge_adapter() {
  if (parts_->adapter == nullptr) return;
  parts_->adapter->merge();
  parts_->adapter.reset();
  for (at::Tensor& parameter : parameters()) parameter.requires_grad_(true);
}

void Published::begin_output_anew() {
  const c10::AutoGradMode no_gradients(false);
  for (const Origin& origin : parts_->origins) {
    for (at::Tensor& parameter : head_->output->parameters()) {
      if (!origin.parameter.is_same(parameter)) continue;
      begin_anew(parameter);
      for (const std::string& name : origin.theirs) {
        const std::string plain = name.starts_with('.') ? name.substr(1) : name;
        if (std::find(fresh_.begin(), fresh_.end(), plain) == fresh_.end()) fresh_.push_back(plain);
      }
    }
  }
}

void Published::set_config(const std::string& field, const Json& value) {
  Json json = config_.json().json();
  if (value.is_null()) {
    json.erase(field);
  } else {
    json[field] = value;
  }
  config_ = Config(JsonValue(std::move(json), config_.json().file()));
}

torch::nn::Module& Published::make_network(const Plan& plan) {
  if (const auto* o = std::get_if<TextEncoderOptions>(&plan.network)) {
    encoder_ = register_module("encoder", std::make_shared<TextEncoder>(*o));
    return *encoder_;
  }
  if (const auto* o = std::get_if<LanguageModelOptions>(&plan.network)) {
    language_model_ = register_module("language_model", std::make_shared<LanguageModel>(*o));
    return *language_model_;
  }
  if (const auto* o = std::get_if<ImageEncoderOptions>(&plan.network)) {
    image_encoder_ = register_module("image_encoder", std::make_shared<ImageEncoder>(*o));
    return *image_encoder_;
  }
  encoder_decoder_ = register_module(
      "encoder_decoder",
      std::make_shared<EncoderDecoder>(std::get<EncoderDecoderOptions>(plan.network)));
  return *encoder_decoder_;
}

const TransformerOptions& Published::transformer() const {
  return std::visit([](const auto& o) -> const TransformerOptions& { return o.transformer; },
                    parts_->plan.network);
}

int64_t Published::vocab_size() const {
  if (const auto* o = std::get_if<EncoderDecoderOptions>(&parts_->plan.network)) {
    return o->source_vocab_size;
  }
  if (image_encoder_) return 0;
  const auto* o = std::get_if<TextEncoderOptions>(&parts_->plan.network);
  return o != nullptr ? o->vocab_size
                      : std::get<LanguageModelOptions>(parts_->plan.network).vocab_size;
}

int64_t Published::pad_token_id() const {
  int64_t id = 0;
  if (const auto* both = std::get_if<EncoderDecoderOptions>(&parts_->plan.network)) {
    id = both->source_pad_token_id;
  } else if (const auto* encoder = std::get_if<TextEncoderOptions>(&parts_->plan.network)) {
    id = encoder->pad_token_id;
  }
  return std::max<int64_t>(id, 0);
}

at::Tensor Published::states(const TextBatch& batch, nn::AttentionTrace* trace) const {
  if (encoder_) return encoder_->forward(batch, trace);
  check_usage(image_encoder_ == nullptr, "a model of pictures reads pixels, not tokens");
  if (language_model_) return language_model_->states(batch, {.trace = trace});
  const int64_t first = parts_->plan.first_target_id;
  check_usage(first >= 0, "an encoder-decoder has states of a source with a target only");
  const nn::Memory memory = encoder_decoder_->encode(batch, trace);
  // The decoder's queries and keys stand one place later than the tokens of the batch.
  std::optional<nn::AttentionRecorder> of_decoder;
  if (nn::AttentionRecorder::current() != nullptr) of_decoder.emplace();
  return encoder_decoder_->states(shifted_right(batch, first), {.memory = &memory, .trace = trace});
}

at::Tensor Published::forward(const TextBatch& batch, nn::AttentionTrace* trace) const {
  const at::Tensor all = states(batch, trace);
  if (purpose_ == Purpose::kCausalLm) return language_model_->logits(all);
  if (purpose_ == Purpose::kFeatures) return all;
  const int64_t last = parts_->plan.last_read_id;
  return head_->forward(all, last >= 0 ? lengths_to_last(batch, last) : batch.lengths);
}

at::Tensor Published::forward(const TextBatch& source, const TextBatch& target,
                              nn::AttentionTrace* trace) const {
  check_usage(purpose_ == Purpose::kConditionalGeneration,
              "only an encoder-decoder that writes reads a target");
  return encoder_decoder_->forward(source, target, trace);
}

at::Tensor Published::forward(const at::Tensor& frames, const TextBatch& target,
                              nn::AttentionTrace* trace) const {
  check_usage(purpose_ == Purpose::kSpeechToText, "only a model for speech to text reads a sound");
  return encoder_decoder_->decode(target, encoder_decoder_->encode(frames, trace), trace);
}

at::Tensor Published::forward(const at::Tensor& pixels, nn::AttentionTrace* trace) const {
  check_usage(image_encoder_ != nullptr, "only a model of pictures reads pixels");
  const at::Tensor all = image_encoder_->forward(pixels, trace);
  return purpose_ == Purpose::kFeatures ? all : head_->forward(all, {});
}

at::Tensor Published::pooler_output(const at::Tensor& pixels) const {
  check_usage(purpose_ == Purpose::kFeatures && head_ != nullptr, "pooler: this model has none");
  return head_->forward(forward(pixels), {});
}

at::Tensor Published::pooler_output(const TextBatch& batch) const {
  check_usage(purpose_ == Purpose::kFeatures && head_ != nullptr, "pooler: this model has none");
  return head_->forward(states(batch), batch.lengths);
}

}  // namespace heed::models::published

namespace heed {

std::shared_ptr<models::published::Published> load(const std::filesystem::path& directory,
                                                   const models::published::LoadOptions& options) {
  return std::make_shared<models::published::Published>(directory, options);
}

}  // namespace heed
