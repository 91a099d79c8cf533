// What is known of the pixels that a model was trained on, in config.json. Used inside this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/io/json.h"
#include "heed/models/files/number_lists.h"

namespace heed::models {

// A number of each channel, from `least` to 1. Throws DataError naming the file and the field.
inline std::vector<double> channel_numbers(const JsonValue& json, int64_t channels, double least) {
  if (static_cast<int64_t>(json.array_size()) != channels) {
    json.fail(text_of(channels, " numbers, as num_channels says"));
  }
  return numbers_from(json, {.least = least, .most = 1});
}

// pixel_means and pixel_deviations.
inline std::vector<double> pixel_means_from(const JsonValue& config, int64_t channels) {
  return channel_numbers(config.at("pixel_means"), channels, 0);
}
inline std::vector<double> pixel_deviations_from(const JsonValue& config, int64_t channels) {
  return channel_numbers(config.at("pixel_deviations"), channels, 1e-6);
}

}  // namespace heed::models
