// The special tokens that a tokenizer puts around every text, such as "[CLS]" and "[SEP]", and what
// it takes off the offsets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "heed/io/json.h"

namespace heed::text {

struct PostProcessor {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
  // Offsets leave out the blanks that stand at the ends of a token; with kKeepFirst one blank at
  // the start of the text stays, the one that ByteLevel may have put there itself.
  enum class Trim : uint8_t { kAll, kKeepFirst };
  std::vector<Trim> trims;  // one after the other
  Json json;                // as tokenizer.json has it, with what it says of pairs of texts
};

// Reads "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel" and "Sequence" as
// far as they concern one text. DataError: another type, a template without the text, a token
// without ids.
PostProcessor read_post_processor(const JsonValue& json);

// [CLS] text [SEP], as a TemplateProcessing.
struct NamedId {
  std::string token;
  int32_t id;
};
PostProcessor surround(const NamedId& before, const NamedId& after);

}  // namespace heed::text
