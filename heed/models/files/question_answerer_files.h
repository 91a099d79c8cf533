// A trained question answerer as a directory (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/question_answerer.h"
#include "heed/text/tokenizer.h"

namespace heed::models {
namespace published {
class Published;
}
struct PublishedFiles;  // published_files.h

// How a text that is longer than the model reads at once becomes windows, and what is an answer.
struct SpanReading {
  int64_t max_answer_length = 30;  // tokens
  int64_t doc_stride = 128;        // tokens between the beginnings of windows
  // Whether "no answer" is one: false where every question of the training data had an answer.
  bool answer_may_be_missing = false;
};

template <nn::OptionsOf<SpanReading> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("max_answer_length", "Tokens of a span, at most"), o.max_answer_length);
  visit(nn::size_field("doc_stride",
                       "Tokens between the windows of a text that is longer than max_length"),
        o.doc_stride);
  visit(nn::Field{.name = "answer_may_be_missing"}, o.answer_may_be_missing);
}

struct TrainedQuestionAnswerer {
  std::shared_ptr<QuestionAnswerer> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  // of the classes; empty where answers are spans
  SpanReading spans;
  std::shared_ptr<published::Published> published = {};  // what `model` is; null: Heed's own
};

void save(const TrainedQuestionAnswerer& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError or DataError, which names the file and the field.
TrainedQuestionAnswerer load_question_answerer(const std::filesystem::path& directory);

// What a published model is as one of Heed's.
TrainedQuestionAnswerer as_question_answerer(const PublishedFiles& files);

}  // namespace heed::models
