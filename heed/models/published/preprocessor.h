// What a published model is fed with: preprocessor_config.json, or in processor_config.json its
// image_processor and feature_extractor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/models/published/config.h"

namespace heed::models::published {

class Folders;

// How a picture becomes pixels (channels, height, width), by the names of transformers'
// ViTImageProcessor: byte · rescale_factor, minus image_mean, over image_std of its channel.
struct ImagePreparation {
  int64_t height = 0;  // what pictures are brought to
  int64_t width = 0;
  int64_t channels = 0;                 // 1: grey, 3: red, green and blue
  bool do_resize = true;                // false: pictures must have this size
  std::string resample = "bilinear";    // as Pillow calls its filters
  double rescale_factor = 1 / 255.0;    // 1 without do_rescale
  std::vector<double> image_mean = {};  // 0 without do_normalize
  std::vector<double> image_std = {};   // 1 without
};

// What is not said is as ViTImageProcessor has it: bilinear, mean and deviation 0.5; the size is
// that of config.json. Throws DataError naming the file and the field that cannot be used, or that
// asks for what Heed does not have.
ImagePreparation read_image_preparation(const Folders& folders, const Config& config);

// The same of a directory.
ImagePreparation image_preparation_in(const std::filesystem::path& directory);

// preprocessor_config.json of a directory that has none.
std::string preprocessor_text(const ImagePreparation& preparation);

// How a sound becomes the frames of Whisper, by the names of WhisperFeatureExtractor; what is not
// said is as that has it. Throws the same, also where feature_size or the frames of chunk_length
// are not what config.json says that the model reads.
audio::LogMelOptions read_sound_preparation(const Folders& folders, const Config& config);

}  // namespace heed::models::published
