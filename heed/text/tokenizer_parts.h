// What a Tokenizer consists of. For builders of tokenizers; users of one need only tokenizer.h.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/added_vocabulary.h"
#include "heed/text/model.h"
#include "heed/text/normalizer.h"
#include "heed/text/post_processor.h"
#include "heed/text/pre_tokenizer.h"
#include "heed/text/token_decoder.h"
#include "heed/text/tokenizer.h"

namespace heed::text {

// Which of a pair of texts that are too long is cut.
enum class TruncationStrategy : uint8_t { kLongestFirst, kOnlyFirst, kOnlySecond };

struct Truncation {
  int32_t max_length = 512;
  TruncationSide side = TruncationSide::kRight;
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  int64_t stride = 0;  // kept for whoever reads the file: Heed makes no overlapping pieces
};

struct Tokenizer::Parts {
  NormalizerPointer normalizer;       // may be null
  PreTokenizerPointer pre_tokenizer;  // may be null
  ModelPointer model;
  AddedVocabulary added = {{}, nullptr};
  PostProcessor post_processor = {};
  DecoderPointer decoder = {};  // null: tokens with a blank between them
  std::optional<Truncation> truncation = {};
  Json padding = {};  // kept as the file gave it; checked when it was read
  std::optional<int32_t> padding_id = {};
  Specials specials = Specials::kAsText;
  HiddenIds hidden = {};  // made of the two by Tokenizer's constructor
};

// Throws UsageError unless every added token either is a token of the model with the same id or
// has the next free id after it.
void check_added_tokens(const std::vector<AddedToken>& tokens, const Model& model);

}  // namespace heed::text
