// Models: how a piece of text becomes ids. One file each in models/; the list of them stands in
// models/all.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/span.h"
#include "heed/text/vocabulary.h"

namespace heed::text {

struct ModelToken {
  int32_t id;
  Span range;  // bytes of the piece
};

// The ids that no text spells: those of special tokens, where a text is only text.
class HiddenIds {
 public:
  void add(int32_t id) {
    const auto place = static_cast<size_t>(id);
    if (place >= hidden_.size()) hidden_.resize(place + 1);
    hidden_[place] = true;
  }

  bool contains(int32_t id) const {
    const auto place = static_cast<size_t>(id);
    return place < hidden_.size() && hidden_[place];
  }

  // `id`, or kNoId if it is one of them.
  int32_t visible(int32_t id) const { return contains(id) ? -1 : id; }

 private:
  std::vector<bool> hidden_;
};

class Model {
 public:
  virtual ~Model() = default;

  // "WordLevel", ...
  virtual std::string_view type() const = 0;

  // Appends the tokens of one piece, which is not empty; the vocabulary is read as if the hidden
  // ids were not in it. Any number of threads may call it.
  virtual void tokenize(std::string_view piece, const HiddenIds& hidden,
                        std::vector<ModelToken>& tokens) const = 0;

  virtual const Vocabulary& vocabulary() const = 0;

  // The id for what the model does not know, or kNoId.
  virtual int32_t unknown_id() const = 0;

  virtual OrderedJson to_json() const = 0;
};

using ModelPointer = std::shared_ptr<const Model>;

// DataError: an unknown type (the message lists the known ones), or a model that contradicts
// itself.
ModelPointer read_model(const JsonValue& json);

}  // namespace heed::text
