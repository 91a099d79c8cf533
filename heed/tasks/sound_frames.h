// What models hear of sounds, as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/models/files/speech_parts.h"

namespace heed::tasks {

// Several sounds, padded with zeros at the end.
struct FrameBatch {
  at::Tensor frames;   // (B, T, M) float32, standardised
  at::Tensor lengths;  // (B) int64

  FrameBatch to(at::Device device) const;
};

// Mean and deviation of each band over all frames.
models::FrameScale scale_of(const std::vector<const audio::LogMel*>& sounds);

// Standardised with the scale.
FrameBatch frame_batch(const std::vector<const audio::LogMel*>& sounds,
                       const models::FrameScale& scale);

}  // namespace heed::tasks
