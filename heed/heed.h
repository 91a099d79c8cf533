// All of Heed. A source that needs a part of it compiles faster with the header of that part; those
// of audio, text, io, data, doctor, metrics and viz know nothing of torch.
//
// What these headers include is what is installed, and what a program may include; the rest is how
// it is made. Operators on tensors (at::randn, x + y) are torch's: <ATen/ATen.h>.
#pragma once

#include "heed/attention.h"
#include "heed/audio.h"
#include "heed/base/cpus.h"
#include "heed/base/error.h"
#include "heed/data.h"
#include "heed/doctor.h"
#include "heed/inference.h"
#include "heed/io.h"
#include "heed/metrics.h"
#include "heed/models.h"
#include "heed/nn.h"
#include "heed/tasks.h"
#include "heed/text.h"
#include "heed/training.h"
#include "heed/version.h"
#include "heed/viz.h"
