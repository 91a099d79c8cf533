// Sounds changed while a model learns them, so that it does not lean on any one moment or band.
#pragma once

#include <cstdint>

#include "heed/nn/fields.h"
#include "heed/tasks/speech/sound_frames.h"

namespace heed::tasks {

struct SpecAugmentOptions {
  int64_t time_masks = 2;
  int64_t time_mask_length = 10;  // frames, at most; and at most a fifth of the sound
  int64_t frequency_masks = 2;
  int64_t frequency_mask_width = 8;  // bands, at most
  double frequency_warp = 0.1;
};

template <nn::OptionsOf<SpecAugmentOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  const auto count = [](const char* name, const char* help) {
    return Field{.name = name, .help = help, .most = 10'000, .group = "Augmentation"};
  };
  visit(count("time_masks", "Stretches of each sound that training hides"), o.time_masks);
  visit(count("time_mask_length", "Frames of such a stretch, at most, and a fifth of the sound"),
        o.time_mask_length);
  visit(count("frequency_masks", "Groups of bands of each sound that training hides"),
        o.frequency_masks);
  visit(count("frequency_mask_width", "Bands of such a group, at most"), o.frequency_mask_width);
  visit(Field{.name = "frequency_warp",
              .help = "Training stretches or squeezes the bands of each sound by up to this "
                      "share, as other throats do",
              .most = 0.5,
              .group = "Augmentation"},
        o.frequency_warp);
}

// A changed copy. Random numbers come from torch's default generator.
//   masks: Park et al. 2019, SpecAugment, with the mean in place of what is hidden
//   warp: Jaitly and Hinton 2013, with one linear map over all bands
at::Tensor augmented(const FrameBatch& batch, const SpecAugmentOptions& options);

}  // namespace heed::tasks
