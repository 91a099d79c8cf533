// The special tokens that a tokenizer puts around every text, such as "[CLS]" and "[SEP]".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "heed/io/json.h"

namespace heed::text {

struct PostProcessor {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
  Json json;  // as tokenizer.json has it, with what it says of pairs of texts
};

// Reads "TemplateProcessing", "BertProcessing", "RobertaProcessing" and "ByteLevel" as far as they
// concern one text. DataError: another type, a template without the text, a token without ids.
PostProcessor read_post_processor(const JsonValue& json);

// [CLS] text [SEP], as a TemplateProcessing.
struct NamedId {
  std::string token;
  int32_t id;
};
PostProcessor surround(const NamedId& before, const NamedId& after);

}  // namespace heed::text
