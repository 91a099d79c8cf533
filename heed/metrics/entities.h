// Precision, recall and F1 of named entities: an entity is right if its type and both of its ends
// are. The same numbers as the package seqeval (its default and its strict mode), 0 where a
// denominator is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heed/metrics/classification.h"
#include "heed/text/words/entity_tags.h"

namespace heed::metrics {

class EntityCounts {
 public:
  // With a scheme: strict mode, see text::strict_entities_of. Without: text::entities_of.
  explicit EntityCounts(std::optional<text::TagScheme> strict = {}) : strict_(strict) {}

  // The tags of one sentence. UsageError: not as many of one as of the other. DataError, in strict
  // mode: a tag whose letter the scheme does not have.
  void add(std::span<const std::string> actual, std::span<const std::string> predicted);

  // The same from entities, each list sorted and without repetitions.
  void add_entities(std::span<const text::Entity> actual, std::span<const text::Entity> predicted);

  std::vector<std::string> types() const;         // of all entities seen, sorted
  std::vector<PrecisionRecall> per_type() const;  // in that order
  PrecisionRecall micro() const;
  PrecisionRecall macro() const;
  PrecisionRecall weighted() const;

  // A table for people: each type, then the three means.
  std::string report() const;

 private:
  struct Counts {
    int64_t correct = 0;
    int64_t predicted = 0;
    int64_t actual = 0;
  };

  std::optional<text::TagScheme> strict_;
  std::map<std::string, Counts> types_;
};

}  // namespace heed::metrics
