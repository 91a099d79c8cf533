// A trained classifier of pictures as a directory: config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/image_classifier.h"

namespace heed::models {

struct TrainedImageClassifier {
  std::shared_ptr<ImageClassifier> model;
  std::vector<std::string> labels;  // of the logits
  // Of each channel in the training part, of pixels from 0 to 1.
  std::vector<double> pixel_means;
  std::vector<double> pixel_deviations;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedImageClassifier& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedImageClassifier load_image_classifier(const std::filesystem::path& directory);

}  // namespace heed::models
