// Sounds: reading them, resampling, and the log-mel energies that models hear. See docs/speech.md.
#pragma once

#include "heed/audio/log_mel.h"
#include "heed/audio/resample.h"
#include "heed/audio/sound.h"
