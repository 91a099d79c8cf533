// Choosing the next token, generation and beam search, with any model that gives logits.
#pragma once

#include "heed/inference/beam_search.h"
#include "heed/inference/best_spans.h"
#include "heed/inference/ctc.h"
#include "heed/inference/generate.h"
#include "heed/inference/logits_decoder.h"
#include "heed/inference/sampling.h"
#include "heed/inference/step_decoder.h"
#include "heed/inference/text_stream.h"
