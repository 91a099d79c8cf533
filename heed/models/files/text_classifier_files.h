// A trained text classifier as a directory: config.json, model.safetensors, tokenizer.json, in the
// layout that Hugging Face tools use (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/columns_json.h"
#include "heed/models/text_classifier.h"
#include "heed/text/tokenizer.h"

namespace heed::models {

struct TrainedTextClassifier {
  std::shared_ptr<TextClassifier> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  // of the classes, in the order of the logits
  std::string task;                 // "classify"
  // Of a model that gives a text any number of labels: from which probability on each is given, and
  // what stands between them in files. None and empty: one label a text.
  std::vector<double> thresholds = {};
  std::string label_separator = {};
  DataColumns columns = {};
};

// Whether a text may have any number of labels.
inline bool has_several_labels(const TrainedTextClassifier& trained) {
  return !trained.label_separator.empty();
}

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedTextClassifier& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedTextClassifier load_text_classifier(const std::filesystem::path& directory);

}  // namespace heed::models
