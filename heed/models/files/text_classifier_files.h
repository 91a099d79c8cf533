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
namespace published {
class Published;
}
struct PublishedFiles;  // published_files.h

struct TrainedTextClassifier {
  std::shared_ptr<TextClassifier> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  // of the classes, in the order of the logits
  // Of a model that gives a text any number of labels: from which probability on each is given, and
  // what stands between them in files. None and empty: one label a text.
  std::vector<double> thresholds = {};
  std::string label_separator = {};
  DataColumns columns = {};
  std::shared_ptr<published::Published> published = {};  // what `model` is; null: Heed's own
};

// Whether a text may have any number of labels.
inline bool has_several_labels(const TrainedTextClassifier& trained) {
  return !trained.label_separator.empty();
}

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedTextClassifier& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError where there is no such directory, DataError where a file in it cannot be used;
// the message names the file and the field.
TrainedTextClassifier load_text_classifier(const std::filesystem::path& directory);

// What a published model is as one of Heed's: of one label, or of a problem type that gives a text
// several, each is a yes from a probability of 0.5 on. Throws DataError for a regression.
TrainedTextClassifier as_text_classifier(const PublishedFiles& files);

}  // namespace heed::models
