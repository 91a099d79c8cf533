// Texts as vectors: what a published model says of the tokens of a text, pooled as its directory
// says, in the layout of sentence-transformers.                   Reimers and Gurevych 2019
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heed/models/parts/head.h"
#include "heed/models/published/fine_tuning.h"

namespace heed::models::published {

// modules.json and what it names; of a directory without one, the mean over the tokens.
struct EmbedderModules {
  std::vector<Pooling> poolings = {Pooling::kMean};  // their results side by side
  struct Dense {
    std::string folder;  // "2_Dense"
    at::Tensor weight;   // (out, in)
    at::Tensor bias;     // (out), or undefined
    std::string activation = "Identity";
  };
  std::vector<Dense> dense = {};
  bool normalize = false;  // to length 1
  // Where config_sentence_transformers.json has any: names and texts in front of the input.
  std::vector<std::pair<std::string, std::string>> prompts = {};
  std::string default_prompt = {};  // the name of the one that is used by itself; empty: none
};

class Embedder : public torch::nn::Module {
 public:
  // The model of a directory in evaluation mode, whatever it was published for. An adapter is
  // merged, unless `options` say what is to learn. Throws MissingInputError or DataError.
  explicit Embedder(const std::filesystem::path& directory,
                    const std::optional<FineTuningOptions>& options = {});

  // (B, vector_dim).
  at::Tensor forward(const TextBatch& batch) const;

  // A directory that sentence-transformers opens, of texts of so many tokens at most. Throws as
  // Published::save does.
  void save(const std::filesystem::path& directory, int64_t max_length) const;
  using Module::save;  // torch's, into an archive

  const EmbedderModules& modules_of_text() const { return modules_; }
  const std::shared_ptr<Published>& model() const { return model_; }

 private:
  std::shared_ptr<Published> model_;
  EmbedderModules modules_;
};

}  // namespace heed::models::published
