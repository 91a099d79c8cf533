#include "heed/cli/trained.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/io/atomic.h"

namespace heed::cli {
namespace {

struct Kind {
  const char* model_type;  // of config.json
  std::unique_ptr<Trained> (*load)(const std::filesystem::path& directory);
};

constexpr Kind kKinds[] = {
    {"heed_text_classifier", load_text_classification},
};

constexpr uint64_t kLargestConfig = 16 << 20;

}  // namespace

std::optional<std::vector<std::string>> Trained::read_inputs(const std::string& /*file*/,
                                                             const ReadingOptions& /*reading*/) {
  return std::nullopt;
}

std::unique_ptr<Trained> load_trained(const std::filesystem::path& directory) {
  recover(directory);
  if (!std::filesystem::is_directory(directory)) {
    throw MissingInputError(text_of(directory.string(), ": expected the directory of a trained ",
                                    "model (config.json, model.safetensors, tokenizer.json)"));
  }
  const JsonValue type =
      read_json(directory / "config.json", {.max_bytes = kLargestConfig}).at("model_type");
  std::string known;
  for (const Kind& kind : kKinds) {
    if (type.string() == kind.model_type) return kind.load(directory);
    known += text_of(known.empty() ? "" : ", ", '"', kind.model_type, '"');
  }
  type.fail("one of " + known);
}

at::Tensor stacked_layers(const std::vector<at::Tensor>& layers) {
  return at::stack(layers).to(at::kFloat).contiguous();
}

}  // namespace heed::cli
