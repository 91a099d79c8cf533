// The entities of sentences with a trained model, and how well that goes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "heed/data/texts/ner_data.h"
#include "heed/metrics/entities.h"
#include "heed/models/files/token_tagger_files.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

// How many words are not read whole, and how many sentences not at once.
CutTexts cut_texts(const models::TrainedTokenTagger& trained,
                   std::span<const std::vector<std::string>> sentences);

// The words of each sentence.
std::vector<std::vector<std::string>> words_of(const data::NerData& data);

// What the tagger says of one sentence.
struct TaggedSentence {
  std::vector<std::string> tags;      // one a word, in the scheme of the model
  std::vector<double> probabilities;  // of each of these tags
};

// Tags sentences in batches of similar length, in evaluation mode; results in the order of the
// sentences. Each result is that of the sentence alone. A sentence of more words than
// transformer.max_length is read in parts of about equal length.
std::vector<TaggedSentence> tag_words(const models::TrainedTokenTagger& trained,
                                      std::span<const std::vector<std::string>> sentences,
                                      const Progress& progress = {});

struct EntityEvaluation {
  Metrics metrics;  // loss (mean of −log p(tags), nats a word), micro F1, precision, recall;
                    // examples: sentences
  metrics::EntityCounts counts;
};

// Of tags in any scheme. Throws DataError where they hold a type that the model does not know.
EntityEvaluation evaluate(const models::TrainedTokenTagger& trained, const data::NerData& data,
                          const Progress& progress = {});

// The same of sentences that were cut before (tagged_parts.h): `tagged` are those of `data`.
struct TaggedParts;
EntityEvaluation evaluate(const models::TokenTagger& model, const models::WordReader& reader,
                          const TaggedParts& tagged, const data::NerData& data,
                          const Progress& progress);

}  // namespace heed::tasks
