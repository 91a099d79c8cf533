// The tensors of a published model's directory, wherever they are stored.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/weights/safetensors.h"
#include "heed/io/weights/torch_file.h"
#include "heed/models/published/folders.h"

namespace heed::models::published {

// One that stands in a file, by the name that it has there.
struct WeightInfo {
  std::string name;
  SafetensorsDtype dtype;
  std::vector<int64_t> shape;
  size_t bytes;
};

// All of a directory, whichever of its files they stand in; of an adapter, its own alone. Throws as
// Weights do.
std::vector<WeightInfo> weights_in(const std::filesystem::path& directory);

// In model.safetensors, in the files that model.safetensors.index.json lists, or else in
// pytorch_model.bin or those of pytorch_model.bin.index.json.
//
// Matrices of int8 with a scale for each row, as bitsandbytes and compressed-tensors write those of
// linear layers, are what they stand for, in float32.           Dettmers et al. 2022, section 3.2
class Weights {
 public:
  // `bases`: of names such as "bert.embeddings.…" and "embeddings.…" the second is taken. Old names
  // of norms (gamma, beta) become today's. Throws MissingInputError where there are no weights,
  // DataError where a file cannot be used.
  explicit Weights(const std::filesystem::path& directory,
                   const std::vector<std::string>& bases = {});

  // The same with those of an adapter, which go before: "base_model.model.bert.encoder.…" is
  // "encoder.…" too.
  Weights(const Folders& folders, const std::vector<std::string>& bases);

  // The tensor of that name, a view of the mapped file where its numbers are aligned there; what is
  // written to it stays in this process. Undefined where there is none. Throws DataError where it
  // is not of floating point.
  at::Tensor find(std::string_view name) const;
  // Throws DataError where there is none.
  at::Tensor at(std::string_view name) const;

  // The names, as they are taken, of all tensors.
  std::vector<std::string> names() const;
  // The file, or the index of several, as messages name it.
  const std::string& file() const { return file_; }

 private:
  void add_safetensors(const Safetensors& opened);
  void add_torch_file(const TorchFile& opened);
  void add(std::string name, const at::Tensor& tensor);
  void dequantise();

  std::string file_;
  std::vector<std::string> prefixes_;  // none stays in a name
  std::map<std::string, at::Tensor, std::less<>> tensors_;
};

}  // namespace heed::models::published
