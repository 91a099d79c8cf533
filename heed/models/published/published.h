// Models as the `transformers` package publishes them, opened as they are: config.json and its
// weights in any of the ways in which they are stored, tokenizer.json; and saved so that
// transformers opens them again.                                          docs/published_models.md
//
//   const auto model = heed::load("all-MiniLM-L6-v2");
//   const at::Tensor states = model->forward({.ids = ids, .lengths = lengths});
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heed/models/encoder_decoder.h"
#include "heed/models/image_encoder.h"
#include "heed/models/language_model.h"
#include "heed/models/published/adapter_options.h"
#include "heed/models/published/config.h"
#include "heed/models/published/generation_config.h"
#include "heed/models/published/purpose.h"
#include "heed/models/text_encoder.h"
#include "heed/text/tokenizer.h"

namespace heed {
namespace models {
class Head;
}
namespace models::published {

struct AdaptedModel;
struct Architecture;
class Folders;
struct Plan;
struct SavedFile;
class Weights;

struct LoadOptions {
  std::string model_type = {};          // where config.json says none
  std::optional<Purpose> purpose = {};  // in place of that of config.json
  // Of a classifier, in place of those of config.json: its output layer begins anew, unless they
  // are the same.
  std::vector<std::string> labels = {};
  // Of a PEFT adapter: the directory of the model that it is for, in place of that which its
  // adapter_config.json names.
  std::filesystem::path base = {};
};

// What the model of a directory is for. Throws MissingInputError or DataError.
Purpose purpose_in(const std::filesystem::path& directory, const LoadOptions& options = {});

// Its config.json. Throws the same.
Config config_in(const std::filesystem::path& directory);

// The labels of its config.json, LABEL_0 … where it names none. Throws the same.
std::vector<std::string> labels_in(const std::filesystem::path& directory);

// What a saved model may replace.
std::vector<std::string> replaceable_files();

class Published : public torch::nn::Module {
 public:
  // The model of a directory, in evaluation mode and float32. Throws MissingInputError where there
  // is none, DataError where a file of it cannot be used, UsageError for options that cannot.
  explicit Published(const std::filesystem::path& directory, const LoadOptions& options = {});
  ~Published() override;

  // The answer of the head: logits (B, N, V) of a language model, (B, N, classes) of tokens, (B,
  // classes) of a text, (B, N, 2) of the first and the last token of an answer; without a head, the
  // states. What stands behind the real tokens of a row has no meaning. An encoder-decoder with
  // another head, or none, reads the source as its target too; an AttentionRecorder gets what its
  // encoder attended to alone, whose queries and keys are the tokens of the batch. Throws
  // UsageError for one that writes, which wants a target of its own.
  at::Tensor forward(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  // Logits (B, Nt, V) of what follows each token of the target, of an encoder-decoder.
  at::Tensor forward(const TextBatch& source, const TextBatch& target,
                     nn::AttentionTrace* trace = nullptr) const;

  // The same of a sound, frames (B, T, M), of a model that reads sounds.
  at::Tensor forward(const at::Tensor& frames, const TextBatch& target,
                     nn::AttentionTrace* trace = nullptr) const;

  // Of a model of pictures: classes (B, classes), without a head the states (B, 1 + N, C) of the
  // whole and of the squares. pixels (B, channels, height, width) float32, scaled as
  // preprocessor_config.json says.
  at::Tensor forward(const at::Tensor& pixels, nn::AttentionTrace* trace = nullptr) const;

  // (B, N, C): before the head. Throws the same.
  at::Tensor states(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  // The pooler of an encoder that was published with one, (B, C). Throws UsageError otherwise.
  at::Tensor pooler_output(const TextBatch& batch) const;
  at::Tensor pooler_output(const at::Tensor& pixels) const;

  // A field that config.json has when this is saved; null: that it does not have.
  void set_config(const std::string& field, const Json& value);

  // Adds a fresh adapter; only it and its head learn then. Throws UsageError where there is one
  // already, and where a name is that of no linear layer.
  void add_adapter(const AdapterOptions& options);
  bool has_adapter() const;

  // All but the adapter and its head learn no more.
  void freeze_but_adapter();

  // Makes the adapter part of the weights; nothing where there is none.
  void merge_adapter();

  // Whether save() writes the whole model with its adapter merged, in place of the adapter alone.
  void set_saved_merged(bool merged) { saved_merged_ = merged; }

  // Writes a directory that transformers opens: config.json as it was but for what has changed,
  // model.safetensors in float32, and the other files of the directory that this came from. Of a
  // model with an adapter, one that peft opens: adapter_config.json and adapter_model.safetensors
  // in place of the weights. Throws IoError or UsageError as io/atomic.h does.
  void save(const std::filesystem::path& directory) const;
  using Module::save;  // torch's, into an archive

  // More files for the directory, in place of those of the same name that it would have.
  void save(const std::filesystem::path& directory, const std::vector<SavedFile>& more) const;

  std::string_view model_type() const;  // "bert": that of config.json
  const Architecture& architecture() const { return *architecture_; }
  Purpose purpose() const { return purpose_; }
  const Config& config() const { return config_; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::filesystem::path& directory() const;
  const Folders& folders() const;

  const GenerationConfig& generation() const { return generation_; }

  // Of the network; what an encoder-decoder has of its source.
  const TransformerOptions& transformer() const;
  int64_t vocab_size() const;
  int64_t pad_token_id() const;  // 0 where it has none: nothing reads what stands behind a text

  // Tensors of the file that this model has no place for, and those of the head that the file did
  // not have, which begin anew.
  const std::vector<std::string>& left_out() const { return left_out_; }
  const std::vector<std::string>& fresh() const { return fresh_; }

  // One of these.
  const std::shared_ptr<TextEncoder>& encoder() const { return encoder_; }
  const std::shared_ptr<LanguageModel>& language_model() const { return language_model_; }
  const std::shared_ptr<EncoderDecoder>& encoder_decoder() const { return encoder_decoder_; }
  const std::shared_ptr<ImageEncoder>& image_encoder() const { return image_encoder_; }
  const std::shared_ptr<Head>& head() const { return head_; }  // null: none

 private:
  torch::nn::Module& make_network(const Plan& plan);
  void begin_output_anew();
  void relabel_by_adapter(const Weights& weights);
  void read_adapter(const Weights& weights, std::set<std::string>& used);
  AdaptedModel adapted() const;

  struct Parts;  // in published_parts.h
  std::unique_ptr<Parts> parts_;
  Config config_;
  GenerationConfig generation_;
  const Architecture* architecture_ = nullptr;
  Purpose purpose_ = Purpose::kFeatures;
  std::vector<std::string> labels_;
  std::shared_ptr<TextEncoder> encoder_;
  std::shared_ptr<LanguageModel> language_model_;
  std::shared_ptr<EncoderDecoder> encoder_decoder_;
  std::shared_ptr<ImageEncoder> image_encoder_;
  std::shared_ptr<Head> head_;
  std::vector<std::string> left_out_;
  std::vector<std::string> fresh_;
  bool saved_merged_ = false;
};

}  // namespace models::published

// The published model of a directory.
std::shared_ptr<models::published::Published> load(
    const std::filesystem::path& directory, const models::published::LoadOptions& options = {});

}  // namespace heed
