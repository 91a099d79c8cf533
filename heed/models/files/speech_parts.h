// What the directories of models for sounds have in common.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/io/json.h"
#include "heed/models/parts/speech_encoder.h"

namespace heed::models {

class WeightCheck;

// What frames are standardised with: of each band, over the training data.
struct FrameScale {
  std::vector<double> means;       // M
  std::vector<double> deviations;  // M, above 0
};

// The two fields.
OrderedJson scale_json(const FrameScale& scale);

// Throws DataError naming the file and the field.
FrameScale scale_from(const JsonValue& config, int64_t bins);

// The shapes that follow from the options, of weights called "encoder…".
void check_encoder(const WeightCheck& check, const SpeechOptions& options);

}  // namespace heed::models
