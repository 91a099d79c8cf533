// Attention itself: the operator, its patterns, and its weights where somebody wants to see them.
#pragma once

#include "heed/ops/attention.h"
#include "heed/ops/attention_weights.h"
#include "heed/ops/hierarchical.h"
#include "heed/ops/pattern.h"
#include "heed/ops/threads.h"
