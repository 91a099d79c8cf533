// The scores by name, as ops/ knows them: what each learns, its own scale, its name among the
// kernels and its formula in plain tensor operations. docs/adding_a_score.md adds one.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "heed/ops/attention.h"

namespace heed {

// What a formula gets, all in one floating-point dtype.
struct ScoreInputs {
  at::Tensor query;      // (B, H, Nq, D)
  at::Tensor key;        // (B, H, Nk, D), repeated for grouped heads
  at::Tensor parameter;  // (H) or (H, D) or undefined
  at::Tensor allowed;    // bool, broadcastable to (B, H, Nq, Nk); undefined: all
};

struct ScoreKind {
  enum class Parameter : uint8_t { kNone, kPerHead, kPerHeadAndSize };

  std::string name;
  std::string kernel;  // in kernels/attention/scores/score_list_leaf.h
  Parameter parameter = Parameter::kNone;
  double initial = 1;           // what a layer starts a parameter of kPerHead with
  bool scaled_by_size = false;  // its own factor is 1/√D
  // The raw scores (B, H, Nq, Nk), differentiable.
  at::Tensor (*formula)(const ScoreInputs& in) = nullptr;
};

// Throws UsageError where there is none of this name.
const ScoreKind& score_kind(std::string_view name);

// Of all scores, those that were added too.
std::vector<std::string> score_names();

// Makes a score known that is not built in. Not while another thread calls attention.
void add_score_kind(ScoreKind kind);

// The name and the learned tensor (undefined: none) of a score, which must outlive the name.
struct ScoreParts {
  std::string_view name;
  at::Tensor parameter;
};
ScoreParts score_parts(const Score& score);
// Where that tensor stands in the score; null where the score has no room for one.
const at::Tensor* parameter_in(const Score& score);

// query · keyᵀ, where a key with NaN or infinity touches only the pairs that it is in, in the
// gradient too; a plain product would multiply it by the 0 of a masked pair.
at::Tensor score_products(const ScoreInputs& in);

// Whether NaN or infinity is, or may be, in a tensor that is partly masked.
bool has_non_finite(const at::Tensor& tensor);

}  // namespace heed
