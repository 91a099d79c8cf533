// Sentences as a tagger reads them: long ones in parts. Used inside this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heed/data/texts/ner_data.h"
#include "heed/models/token_tagger.h"

namespace heed::tasks {

// Sentences whose tags are known, as the model reads them.
struct TaggedParts {
  // A sentence, or a part of one that has more words than the model reads at once.
  struct Part {
    size_t sentence;
    size_t begin;  // of its words in the sentence
    std::vector<std::string> words;
  };

  std::vector<Part> parts;
  std::vector<std::vector<int32_t>> tags;  // of each part, rows of TokenTagger::tags()
};

// Adds a sentence in parts of about equal length, of at most `longest` words each.
void add_parts(const std::vector<std::string>& words, size_t sentence, int64_t longest,
               std::vector<TaggedParts::Part>& parts);

// Tags may be of any scheme; those of the parts are of the model's. Throws DataError where they
// hold a type that the model does not know.
TaggedParts tagged_parts(const models::TokenTagger& model, const data::NerData& data);

}  // namespace heed::tasks
