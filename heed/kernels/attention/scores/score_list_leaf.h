// The list of scores: one line each. A score that is not built in comes from outside with
// -DHEED_EXTRA_SCORES=my_score.h, a header like those in scores/ that also defines
//
//   #define HEED_EXTRA_SCORE_LIST PRODUCT_SCORE(MyScore),
//
// Each engine makes of PRODUCT_SCORE and PAIRWISE_SCORE what it calls.
#pragma once

#include "heed/kernels/attention/scores/additive_leaf.h"
#include "heed/kernels/attention/scores/cosine_leaf.h"
#include "heed/kernels/attention/scores/dot_leaf.h"
#include "heed/kernels/attention/scores/leaky_leaf.h"
#ifdef HEED_EXTRA_SCORES
#include HEED_EXTRA_SCORES
#endif
#ifndef HEED_EXTRA_SCORE_LIST
#define HEED_EXTRA_SCORE_LIST
#endif

#define HEED_SCORE_LIST                                                                       \
  PRODUCT_SCORE(Dot), PRODUCT_SCORE(Cosine), PAIRWISE_SCORE(Additive), PAIRWISE_SCORE(Leaky), \
      HEED_EXTRA_SCORE_LIST
