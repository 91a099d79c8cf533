// The special tokens that a tokenizer puts around a text or a pair of texts, such as "[CLS]" and
// "[SEP]", the type ids that it gives them, and what it takes off the offsets.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/io/json.h"

namespace heed::text {

struct PostProcessor {
  struct Part {
    enum class Kind : uint8_t { kFirst, kSecond, kSpecial } kind;
    int32_t id = -1;  // of the special token
    int32_t type_id = 0;
  };
  using Template = std::vector<Part>;

  // What one text becomes, with the text in it once, and what a pair becomes. As the file says it:
  // a pair may lack a text or have it twice.
  Template single = {{.kind = Part::Kind::kFirst}};
  Template pair = {{.kind = Part::Kind::kFirst}, {.kind = Part::Kind::kSecond, .type_id = 1}};

  // Offsets leave out the blanks that stand at the ends of a token; with kKeepFirst one blank at
  // the start of the text stays, the one that ByteLevel may have put there itself.
  enum class Trim : uint8_t { kAll, kKeepFirst };
  std::vector<Trim> trims = {};  // one after the other

  Json json = nullptr;  // as tokenizer.json has it
};

// How many special tokens a template adds.
size_t specials_in(const PostProcessor::Template& parts);

// Reads "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel" and "Sequence".
// DataError: another type, a template without the text, a token without ids, two processors of a
// sequence that both say what stands around a text.
PostProcessor read_post_processor(const JsonValue& json);

// A TemplateProcessing of a list of special tokens and texts: those without an id are the texts,
// "A" and "B".
struct TemplatePart {
  std::string token;
  int32_t id = -1;
  int32_t type_id = 0;
};
PostProcessor template_processor(const std::vector<TemplatePart>& single,
                                 const std::vector<TemplatePart>& pair);

}  // namespace heed::text
