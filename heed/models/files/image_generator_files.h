// A trained generator of pictures as a directory: config.json and model.safetensors, the codebook
// among the weights.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/image_generator.h"

namespace heed::models {

struct TrainedImageGenerator {
  std::shared_ptr<ImageGenerator> model;
  std::vector<std::string> labels;  // the classes
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedImageGenerator& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedImageGenerator load_image_generator(const std::filesystem::path& directory);

// Of config.json.
inline constexpr const char* kImageGeneratorType = "heed_image_generator";

}  // namespace heed::models
