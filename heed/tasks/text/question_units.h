// What a question answerer reads: a question and a story or text, as units of token ids.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/models/files/question_answerer_files.h"
#include "heed/tasks/common/task.h"

namespace heed {
class Checksum;
}

namespace heed::tasks {

struct QuestionUnits {
  std::vector<int32_t> ids;    // the words of all units, one after the other, the question first
  std::vector<int32_t> sizes;  // words of each unit; empty: one each
  int64_t question = 1;        // how many units it has

  int64_t count() const { return static_cast<int64_t>(sizes.empty() ? ids.size() : sizes.size()); }
};

// Questions that are read several times are encoded once.
struct EncodedQuestions {
  std::vector<QuestionUnits> inputs;
  std::vector<int64_t> lengths;  // their units

  void add(QuestionUnits units) {
    lengths.push_back(units.count());
    inputs.push_back(std::move(units));
  }
};

// For Task::sources().
void add_inputs(Checksum& sum, const std::vector<QuestionUnits>& inputs);

// Of several inputs, padded. Each of them has sizes or none has.
models::QuestionBatch question_batch(const std::vector<const QuestionUnits*>& inputs,
                                     int64_t padding_id);

// "words", every word of the texts, or "words:N", the N most frequent; otherwise as tokenizer_for
// (generation/language_modeling.h) has it. Throws UsageError, and what Tokenizer::load throws.
std::shared_ptr<const text::Tokenizer> question_tokenizer(const std::string& kind,
                                                          const std::vector<std::string>& texts,
                                                          const Progress& progress = {});

// In all files.
template <typename Data>
int64_t question_count(const std::vector<Data>& files) {
  int64_t count = 0;
  for (const Data& file : files) count += std::ssize(file.questions);
  return count;
}

// How well questions were answered: of all of them, and of each file.
struct QuestionEvaluation {
  Metrics all;
  std::vector<Metrics> files;
};

}  // namespace heed::tasks
