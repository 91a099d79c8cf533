// A trained forecaster as a directory: config.json and model.safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/forecaster.h"

namespace heed::models {

struct TrainedForecaster {
  std::shared_ptr<Forecaster> model;
  std::vector<std::string> series;      // S names of the series, in the order of the columns
  std::vector<std::string> covariates;  // K names of what is known of the future
  std::string time_column = {};         // empty: none, or without a name
  // Of the training part: what series, then covariates, are standardised with.
  std::vector<double> means = {};       // S + K
  std::vector<double> deviations = {};  // S + K, above 0
  // Half widths of the intervals that held `coverages` of the validation data: (coverages, F, S),
  // in standardised units.
  std::vector<double> coverages = {};
  std::vector<double> half_widths = {};
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedForecaster& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedForecaster load_forecaster(const std::filesystem::path& directory);

}  // namespace heed::models
