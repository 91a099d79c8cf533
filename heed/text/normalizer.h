// Normalisers: what happens to a text before it is split. One class of tokenizer.json each; the
// list of them stands at the end of normalizers.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/characters/aligned_text.h"

namespace heed::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  virtual void apply(AlignedText& text) const = 0;

  // As it stands in tokenizer.json: {"type": "Lowercase"}.
  virtual OrderedJson to_json() const = 0;
};

using NormalizerPointer = std::shared_ptr<const Normalizer>;

// Settings that are absent have the defaults of the `tokenizers` package. DataError: an unknown
// type (the message lists the known ones) or setting.
NormalizerPointer read_normalizer(const JsonValue& json);

// The type of this name with its default settings. UsageError: there is none.
NormalizerPointer normalizer_named(std::string_view type);

// One after the other; null for none.
NormalizerPointer normalizer_sequence(std::vector<NormalizerPointer> parts);

}  // namespace heed::text
