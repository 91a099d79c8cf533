#include "heed/models/published/architecture.h"

#include <algorithm>
#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/published/architectures/all.h"

namespace heed::models::published {

std::string_view name_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::kFeatures:
      return "features";
    case Purpose::kMaskedLm:
      return "masked language model";
    case Purpose::kCausalLm:
      return "causal language model";
    case Purpose::kSequenceClassification:
      return "sequence classification";
    case Purpose::kTokenClassification:
      return "token classification";
    case Purpose::kQuestionAnswering:
      return "question answering";
    case Purpose::kConditionalGeneration:
      return "conditional generation";
    case Purpose::kSpeechToText:
      return "speech to text";
    case Purpose::kImageClassification:
      return "image classification";
  }
  return "";
}

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {
      albert(), bart(),     bert(),  camembert(), distilbert(), electra(),     gemma2(),
      gpt2(),   gpt_neox(), llama(), marian(),    mistral(),    modernbert(),  qwen2(),
      qwen3(),  roberta(),  t5(),    vit(),       whisper(),    xlm_roberta(),
  };
  return all;
}

const ClassName* class_of(const Architecture& architecture, Purpose purpose) {
  for (const ClassName& each : architecture.classes) {
    if (each.purpose == purpose) return &each;
  }
  return nullptr;
}

std::string_view base_of(const Architecture& architecture, Purpose purpose) {
  if (purpose == Purpose::kFeatures) return {};
  const ClassName* known = class_of(architecture, purpose);
  return known != nullptr && known->base ? *known->base : architecture.base;
}

std::vector<std::string> bases_of(const Architecture& architecture) {
  std::set<std::string> bases = {std::string(architecture.base)};
  for (const ClassName& each : architecture.classes) {
    if (each.base) bases.emplace(*each.base);
  }
  bases.erase("");
  return {bases.begin(), bases.end()};
}

const Architecture& find_architecture(std::string_view model_type) {
  for (const Architecture& each : architectures()) {
    if (each.model_type == model_type) return each;
  }
  const std::string known = joined(architectures(), ", ", &Architecture::model_type);
  throw UsageError(text_of("architecture: expected one of ", known, ", got '", model_type,
                           "'; to add it, write heed/models/published/architectures/", model_type,
                           ".cpp (docs/adding_an_architecture.md)"));
}

std::string model_type_of(const JsonValue& config) {
  if (config.has("model_type")) return config.at("model_type").string();
  const auto named = config.has("architectures") ? config.at("architectures").strings()
                                                 : std::vector<std::string>();
  for (const Architecture& each : architectures()) {
    for (const ClassName& known : each.classes) {
      if (std::find(named.begin(), named.end(), known.name) != named.end()) {
        return std::string(each.model_type);
      }
    }
  }
  throw DataError(config.file(),
                  text_of("field 'model_type' is missing, and 'architectures' names no class that "
                          "tells it; write it there, one of ",
                          joined(architectures(), ", ", &Architecture::model_type)));
}

}  // namespace heed::models::published
