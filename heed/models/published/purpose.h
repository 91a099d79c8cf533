// What a published model is for, after the endings of the classes of transformers.
#pragma once

#include <cstdint>
#include <string_view>

namespace heed::models::published {

enum class Purpose : uint8_t {
  kFeatures,                // BertModel
  kMaskedLm,                // …ForMaskedLM
  kCausalLm,                // …ForCausalLM, …LMHeadModel
  kSequenceClassification,  // …ForSequenceClassification
  kTokenClassification,
  kQuestionAnswering,
  kConditionalGeneration,  // …ForConditionalGeneration, MarianMTModel
  kSpeechToText,           // WhisperForConditionalGeneration
  kImageClassification,
};
std::string_view name_of(Purpose purpose);  // "masked language model"

}  // namespace heed::models::published
