// What a published tagger finds in a text, piece by piece or put together, by the rules of
// transformers' TokenClassificationPipeline. (Heed's own way, tasks/text/entity_recognition.h,
// splits a text into words and keeps to the rules of the tags' scheme.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/models/files/token_tagger_files.h"
#include "heed/text/span.h"

namespace heed::tasks {

// Its aggregation_strategy: each piece for itself (none); pieces of one type beside each other
// (simple); the same of words, which have the tag of their first piece (first), of the mean of
// their pieces' probabilities (average), or of their surest piece (max).
enum class Aggregation : uint8_t { kNone, kSimple, kFirst, kAverage, kMax };

std::vector<std::string> aggregation_names();
Aggregation aggregation_from(const std::string& name);  // throws UsageError for another name

struct TokenEntity {
  std::string type;        // of kNone the label, "B-PER"; of others "PER"
  double probability = 0;  // of several pieces or words: the mean
  text::Span span;         // bytes of the text
};

// A token that is none of those around the text.
struct TaggedPiece {
  std::vector<double> probabilities;  // of the labels
  text::Span span;
  bool continues = false;  // the word of the piece before it
};

// All but what has the label "O". A B- begins an entity; so does another type.
std::vector<TokenEntity> aggregated(const std::vector<TaggedPiece>& pieces,
                                    const std::vector<std::string>& labels,
                                    Aggregation aggregation);

class TokenEntities {
 public:
  // Throws UsageError for a model that is not a published one.
  TokenEntities(const models::TrainedTokenTagger& trained, Aggregation aggregation);

  // Of a text as a whole, cut to what the model reads.
  std::vector<TokenEntity> find(std::string_view text) const;

 private:
  bool continues(std::string_view text, const std::string& token, int32_t id,
                 const text::Span& span) const;

  models::TrainedTokenTagger trained_;
  Aggregation aggregation_;
  bool has_prefix_ = false;  // of pieces that continue a word, as WordPiece has it: "##"
};

}  // namespace heed::tasks
