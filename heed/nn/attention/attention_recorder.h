// What attention layers attended to, without their weights: all that the functions of
// ops/attention_weights.h need to tell anything about those in memory that grows with the tokens
// and not with their pairs. (An AttentionTrace holds the weights themselves.)
#pragma once

#include <vector>

#include "heed/ops/attention_weights.h"

namespace heed::nn {

struct AttendedHeads {
  AttendedTokens tokens;  // of the whole batch
  at::Tensor value;       // (B, Hk, Nk, D)
};

// While it lives, the layers that run on this thread leave their calls in it, in the order in which
// they ran. What they give does not change; with gradients switched on, the calls are part of the
// graph. The innermost of several records.
class AttentionRecorder {
 public:
  AttentionRecorder();
  ~AttentionRecorder();
  AttentionRecorder(const AttentionRecorder&) = delete;
  AttentionRecorder& operator=(const AttentionRecorder&) = delete;

  // The one of this thread; null: none.
  static AttentionRecorder* current();

  std::vector<AttendedHeads> self;    // of self-attention, of the nodes of a graph too
  std::vector<AttendedHeads> cross;   // of cross-attention
  std::vector<AttendedHeads> pooled;  // of attention pooling, (B, 1, 1, N)

 private:
  AttentionRecorder* outer_;
};

}  // namespace heed::nn
