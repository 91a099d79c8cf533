// What a model for sounds attended to, over the sound itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/cli/attention_view.h"
#include "heed/models/parts/speech_encoder.h"
#include "heed/nn/attention/attention_heads.h"

namespace heed::cli {

// A sound that was heard.
struct HeardSound {
  std::string title;  // what was heard
  audio::LogMel features;
  nn::AttentionTrace trace;  // of it alone
  OrderedJson details;
};

// The weights among the steps of the sound, which are named by their times ("0.04 s").
AttentionView sound_view(const HeardSound& sound, const models::SpeechOptions& options);

// Draws the energies of the sound above what each head gives each moment, the mean over the
// queries. Returns as write_sound_picture does.
std::vector<std::string> draw_sound(const HeardSound& sound, const models::SpeechOptions& options,
                                    const std::string& path, const std::vector<int64_t>& layers,
                                    const std::vector<int64_t>& heads);

}  // namespace heed::cli
