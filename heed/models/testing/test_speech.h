// A small model for sounds, which tests of models and of tasks share.
#pragma once

#include <cstdint>

#include "heed/models/parts/speech_encoder.h"

namespace heed::models {

inline SpeechOptions small_speech(int64_t num_mel_bins) {
  SpeechOptions speech;
  speech.num_mel_bins = num_mel_bins;
  speech.num_channels = 4;
  speech.kernel_size = 5;
  speech.transformer.d_model = 16;
  speech.transformer.num_heads = 2;
  speech.transformer.num_layers = 1;
  speech.transformer.d_ff = 32;
  return speech;
}

// Without dropout, to learn what the test is about in few steps.
inline SpeechOptions small_speech_that_learns(int64_t num_mel_bins) {
  SpeechOptions speech = small_speech(num_mel_bins);
  speech.transformer.dropout = 0;
  speech.transformer.attention_dropout = 0;
  speech.transformer.embedding_dropout = 0;
  return speech;
}

}  // namespace heed::models
