// What models hear of sounds, as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/data/sounds/sound_data.h"
#include "heed/models/files/speech_parts.h"
#include "heed/tasks/common/task.h"

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

std::vector<const audio::LogMel*> frames_of(const std::vector<data::SoundExample>& examples);

// Calls `use` for all sounds, some of about the same length at a time, whose numbers it gets.
using UseFrames = std::function<void(const std::vector<int64_t>& numbers, const FrameBatch& batch)>;
void for_each_frame_batch(const std::vector<const audio::LogMel*>& sounds,
                          const models::FrameScale& scale, at::Device device,
                          const Progress& progress, const UseFrames& use);

}  // namespace heed::tasks
