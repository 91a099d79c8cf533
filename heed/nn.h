// Layers and what stands beside them in a model: activations, dropout, the loss, how weights start.
// heed::nn has the layers, heed::modules the same as torch holds its own.
#pragma once

#include "heed/nn/attention/attention_pooling.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/attention/rotary.h"
#include "heed/nn/crf.h"
#include "heed/nn/decoder.h"
#include "heed/nn/embedding.h"
#include "heed/nn/encoder.h"
#include "heed/nn/feed_forward.h"
#include "heed/nn/initialise.h"
#include "heed/nn/layer_norm.h"
#include "heed/nn/linear.h"
#include "heed/nn/linear_chain.h"
#include "heed/nn/mean_pooling.h"
#include "heed/nn/modules.h"
#include "heed/nn/rms_norm.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/dropout.h"
#include "heed/ops/linear.h"
#include "heed/ops/workers.h"
