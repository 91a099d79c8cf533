#include "heed/models/published/architecture.h"

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

const Architecture& find_architecture(std::string_view model_type) {
  for (const Architecture& each : architectures()) {
    if (each.model_type == model_type) return each;
  }
  const std::string known = joined(architectures(), ", ", &Architecture::model_type);
  throw UsageError(text_of("architecture: expected one of ", known, ", got '", model_type,
                           "'; to add it, write heed/models/published/architectures/", model_type,
                           ".cpp (docs/adding_an_architecture.md)"));
}

}  // namespace heed::models::published
