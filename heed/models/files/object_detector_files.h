// A trained detector of objects as a directory: config.json and model.safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/object_detector.h"

namespace heed::models {

struct TrainedObjectDetector {
  std::shared_ptr<ObjectDetector> model;
  std::vector<std::string> labels;    // of the logits, without "no object"
  std::vector<int64_t> category_ids;  // of the labels, in the COCO file that it was trained on
  // Of each channel in the training part, of pixels from 0 to 1.
  std::vector<double> pixel_means;
  std::vector<double> pixel_deviations;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedObjectDetector& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedObjectDetector load_object_detector(const std::filesystem::path& directory);

}  // namespace heed::models
