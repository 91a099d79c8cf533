// Another number of samples a second for the same sound.
#pragma once

#include <cstdint>

#include "heed/audio/sound.h"

namespace heed::audio {

// By a sinc that a Hann window ends after six zero crossings on each side, below 0.99 of the lower
// of the two Nyquist frequencies: what torchaudio.functional.resample does by default, and its
// numbers.                     Julius O. Smith, "Digital Audio Resampling Home Page", section 2
// ⌈samples · to / from⌉ samples. Throws UsageError for a rate below 1.
Sound resampled(const Sound& sound, int64_t sampling_rate);

}  // namespace heed::audio
