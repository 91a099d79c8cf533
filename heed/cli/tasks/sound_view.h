// What a model for sounds attended to, over the sound itself.
#pragma once

#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/cli/attention_view.h"
#include "heed/models/parts/speech_encoder.h"
#include "heed/nn/attention/attention_heads.h"
#include "heed/nn/attention/attention_recorder.h"

namespace heed::cli {

// A sound that was heard.
struct HeardSound {
  std::string title;  // what was heard
  audio::LogMel features;
  std::vector<std::string> tokens = {};  // that were written of it, and attend to it; none: its
                                         // steps do, among themselves
  std::vector<nn::AttendedHeads> calls = {};  // of it alone
  at::Tensor score = {};                      // as AttentionView has it
  OrderedJson details = {};
};

// The weights that the steps of the sound get, which are named by their times ("0.04 s"). Drawn are
// the energies of the sound above what each head gives each moment, the mean over the queries, or,
// of one head and tokens, what each token gives it (write_sound_picture).
AttentionView sound_view(HeardSound sound, const models::SpeechOptions& options);

}  // namespace heed::cli
