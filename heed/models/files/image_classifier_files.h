// A trained classifier of pictures as a directory: config.json and model.safetensors; of a
// published one, preprocessor_config.json too.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/image_classifier.h"

namespace heed::models {
namespace published {
class Published;
}

struct TrainedImageClassifier {
  std::shared_ptr<ImageClassifier> model;
  std::vector<std::string> labels;  // of the logits
  // Of each channel, of pixels from 0 to 1: in the training part, or as a published model has them.
  std::vector<double> pixel_means;
  std::vector<double> pixel_deviations;
  // How pictures are brought to the model's size (heed/data/images/resampling.h), and whether they
  // are: otherwise they must have it.
  std::string resampling = "bilinear";
  bool resizes = true;
  std::shared_ptr<published::Published> published = {};  // what `model` is; null: Heed's own
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedImageClassifier& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError where there is no such directory, DataError where a file in it cannot be used;
// the message names the file and the field.
TrainedImageClassifier load_image_classifier(const std::filesystem::path& directory);

// What a published model is as one of Heed's. Throws DataError where it gives a picture several
// labels or a number, and as read_image_preparation() does.
TrainedImageClassifier as_image_classifier(const std::shared_ptr<published::Published>& model);

}  // namespace heed::models
