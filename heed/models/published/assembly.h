// From the tensors of a file to the parameters of a network, and back.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/io/weights/safetensors.h"
#include "heed/models/published/architecture.h"
#include "heed/models/published/weights.h"

namespace heed::models::published {

// Where a parameter comes from, and goes to when the model is saved.
struct Origin {
  at::Tensor parameter;
  Layout layout = Layout::kRows;
  // Names, below the base with a dot in front; empty: zeros that no file has.
  std::vector<std::string> theirs;
  std::vector<int64_t> rows;  // of each of them
  std::vector<std::string> copies;
};

// What a file had for a network or a head.
struct Assembled {
  std::vector<Origin> origins;
  std::vector<std::string> used;   // names of the file's tensors
  std::vector<std::string> fresh;  // theirs that were missing or of another size: new values
};

// What is done where a tensor is missing or of another shape: refuse it (a network), or begin anew
// (a head).
enum class Missing : uint8_t { kRefuse, kBeginAnew };

// Gives each parameter of `module` the values that the rules find for it, in float32; those that
// need no change stay where the file is mapped. Throws DataError naming the file and the tensor.
Assembled assemble(torch::nn::Module& module, const Rules& rules, const Plan& plan,
                   const Weights& weights, Missing missing);

// Values that a layer begins with: a normal distribution with a standard deviation of 0.02, as
// transformers has it; zeros for biases.
void begin_anew(at::Tensor& parameter);

// The tensors that an origin is saved as, by the names of the file. `base`: in front of those below
// it, or empty.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;  // contiguous, float32
};
std::vector<NamedTensor> saved_tensors(const Origin& origin, const Plan& plan,
                                       const std::string& base);

// A file that is saved with a model, "1_Pooling/config.json": a text, or tensors as safetensors.
struct SavedFile {
  std::string name;
  std::string content = {};
  std::vector<NamedTensor> tensors = {};
};

// As a safetensors file takes them; the tensors must outlive it.
std::vector<StoredTensor> stored(const std::vector<NamedTensor>& tensors);

// A name of the file's tensors or modules as it is saved: below `base` where it begins with a dot.
std::string saved_name(const std::string& name, const std::string& base);

// Without the dot: as Weights have it.
std::string lookup_name(const std::string& name);

// (H · 3 · D, …) of Layout::kByHead -> (3 · H · D, …), or back.
at::Tensor by_head(const at::Tensor& tensor, int64_t heads, bool back);

// Throws DataError unless the sizes of the plan are those of the weights: before a network is made
// of them, which must not take more memory than the file has bytes.
void check_sizes(const Plan& plan, const Weights& weights);

}  // namespace heed::models::published
