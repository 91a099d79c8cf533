// What a model for sounds attended to, over the sound itself.
#pragma once

#include <string>

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

// The weights among the steps of the sound, which are named by their times ("0.04 s"). Drawn are
// the energies of the sound above what each head gives each moment, the mean over the queries
// (write_sound_picture).
AttentionView sound_view(HeardSound sound, const models::SpeechOptions& options);

}  // namespace heed::cli
