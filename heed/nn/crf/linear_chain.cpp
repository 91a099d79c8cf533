#include "heed/nn/crf/linear_chain.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/base/error.h"
#include "heed/ops/sharing.h"

namespace heed::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kNever = -std::numeric_limits<double>::infinity();

// log Σ e^term over `count` terms, of which −∞ adds nothing.
template <typename Term>
double log_sum(size_t count, Term term) {
  double largest = kNever;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, term(i));
  if (largest == kNever) return kNever;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::exp(term(i) - largest);
  return largest + std::log(sum);
}

// The scores as float64 in plain memory.
struct Scores {
  at::Tensor emissions, transitions, begin, end, lengths;
  int64_t batch = 0;
  int64_t longest = 0;
  int64_t tags = 0;

  explicit Scores(const ChainScores& s)
      : emissions(plain(s.emissions)),
        transitions(plain(s.transitions)),
        begin(plain(s.begin)),
        end(plain(s.end)),
        lengths(s.lengths.to(at::kCPU).contiguous()),
        batch(emissions.size(0)),
        longest(emissions.size(1)),
        tags(emissions.size(2)) {}

  static at::Tensor plain(const at::Tensor& tensor) {
    return tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  }

  const double* sequence(int64_t b) const {
    return emissions.const_data_ptr<double>() + b * longest * tags;
  }
  int64_t length(int64_t b) const { return lengths.const_data_ptr<int64_t>()[b]; }
};

// One sequence: N positions of K tags.
struct Sequence {
  const ChainRules& rules;
  int64_t length;
  int64_t tags;
  const double* emissions;
  const double* transitions;
  const double* begin;
  const double* end;

  Sequence(const Scores& scores, const ChainRules& chain_rules, int64_t b)
      : rules(chain_rules),
        length(scores.length(b)),
        tags(scores.tags),
        emissions(scores.sequence(b)),
        transitions(scores.transitions.const_data_ptr<double>()),
        begin(scores.begin.const_data_ptr<double>()),
        end(scores.end.const_data_ptr<double>()) {}

  double emission(int64_t t, int64_t tag) const { return emissions[t * tags + tag]; }
  double transition(int64_t before, int64_t tag) const { return transitions[before * tags + tag]; }
  double first(int64_t tag) const {
    return rules.may_begin(tag) ? begin[tag] + emission(0, tag) : kNever;
  }
  double last(int64_t tag) const { return rules.may_end(tag) ? end[tag] : kNever; }
};

// Log-sums over all that may stand before a position, its own emission included.
std::vector<double> forward_sums(const Sequence& s) {
  std::vector<double> sums(static_cast<size_t>(s.length * s.tags));
  for (int64_t k = 0; k < s.tags; ++k) sums[static_cast<size_t>(k)] = s.first(k);
  for (int64_t t = 1; t < s.length; ++t) {
    const double* previous = sums.data() + (t - 1) * s.tags;
    for (int64_t k = 0; k < s.tags; ++k) {
      const std::vector<int32_t>& before = s.rules.before(k);
      sums[static_cast<size_t>(t * s.tags + k)] =
          s.emission(t, k) + log_sum(before.size(), [&](size_t i) {
            return previous[before[i]] + s.transition(before[i], k);
          });
    }
  }
  return sums;
}

// Log-sums over all that may stand behind a position.
std::vector<double> backward_sums(const Sequence& s) {
  std::vector<double> sums(static_cast<size_t>(s.length * s.tags));
  double* last = sums.data() + (s.length - 1) * s.tags;
  for (int64_t k = 0; k < s.tags; ++k) last[k] = s.last(k);
  for (int64_t t = s.length - 2; t >= 0; --t) {
    const double* next = sums.data() + (t + 1) * s.tags;
    for (int64_t k = 0; k < s.tags; ++k) {
      const std::vector<int32_t>& behind = s.rules.behind(k);
      sums[static_cast<size_t>(t * s.tags + k)] = log_sum(behind.size(), [&](size_t i) {
        return s.transition(k, behind[i]) + s.emission(t + 1, behind[i]) + next[behind[i]];
      });
    }
  }
  return sums;
}

double log_total(const Sequence& s, const std::vector<double>& forward) {
  const double* last = forward.data() + (s.length - 1) * s.tags;
  return log_sum(static_cast<size_t>(s.tags),
                 [&](size_t k) { return last[k] + s.last(static_cast<int64_t>(k)); });
}

double score_of(const Sequence& s, const int64_t* targets) {
  double score = s.first(targets[0]) + s.last(targets[s.length - 1]);
  for (int64_t t = 1; t < s.length; ++t) {
    score += s.transition(targets[t - 1], targets[t]) + s.emission(t, targets[t]);
  }
  return score;
}

// The gradient of −log p: what is expected minus what is there.
struct Gradients {
  double* emissions;    // (N, K)
  double* transitions;  // (K, K)
  double* begin;        // (K)
  double* end;          // (K)
};

void add_expected(const Sequence& s, const std::vector<double>& forward, double total,
                  const Gradients& out) {
  const std::vector<double> backward = backward_sums(s);
  for (int64_t t = 0; t < s.length; ++t) {
    const double* behind_sums = backward.data() + t * s.tags;
    for (int64_t k = 0; k < s.tags; ++k) {
      out.emissions[t * s.tags + k] +=
          std::exp(forward[static_cast<size_t>(t * s.tags + k)] + behind_sums[k] - total);
      if (t == 0) continue;
      const double here = s.emission(t, k) + behind_sums[k] - total;
      for (const int32_t j : s.rules.before(k)) {
        out.transitions[j * s.tags + k] += std::exp(
            forward[static_cast<size_t>((t - 1) * s.tags + j)] + s.transition(j, k) + here);
      }
    }
  }
  for (int64_t k = 0; k < s.tags; ++k) {
    out.begin[k] += out.emissions[k];
    out.end[k] += out.emissions[(s.length - 1) * s.tags + k];
  }
}

void subtract_targets(const Sequence& s, const int64_t* targets, const Gradients& out) {
  for (int64_t t = 0; t < s.length; ++t) {
    out.emissions[t * s.tags + targets[t]] -= 1;
    if (t > 0) out.transitions[targets[t - 1] * s.tags + targets[t]] -= 1;
  }
  out.begin[targets[0]] -= 1;
  out.end[targets[s.length - 1]] -= 1;
}

void check_scores(const ChainScores& s, const ChainRules& rules) {
  check_usage(
      s.emissions.defined() && s.emissions.dim() == 3 && s.emissions.size(2) == rules.tags(),
      "chain: expected emissions (B, N, ", rules.tags(), "), got shape ", s.emissions.sizes());
  const int64_t tags = rules.tags();
  const auto check = [&](const char* name, const at::Tensor& tensor, at::IntArrayRef shape) {
    check_usage(tensor.defined() && tensor.sizes() == shape &&
                    tensor.scalar_type() == s.emissions.scalar_type(),
                "chain: expected ", name, " of shape ", shape, " and the dtype of the emissions");
  };
  check("transitions", s.transitions, {tags, tags});
  check("begin", s.begin, {tags});
  check("end", s.end, {tags});
  check_usage(s.lengths.defined() && s.lengths.scalar_type() == at::kLong &&
                  s.lengths.sizes() == at::IntArrayRef{s.emissions.size(0)},
              "chain: expected lengths (B) int64");
  if (s.lengths.numel() == 0) return;
  check_usage(s.lengths.min().item<int64_t>() >= 0 &&
                  s.lengths.max().item<int64_t>() <= s.emissions.size(1),
              "chain: expected lengths from 0 to ", s.emissions.size(1));
}

void check_targets(const Scores& scores, const ChainRules& rules, const at::Tensor& targets) {
  for (int64_t b = 0; b < scores.batch; ++b) {
    const int64_t* tags = targets.const_data_ptr<int64_t>() + b * scores.longest;
    const int64_t length = scores.length(b);
    for (int64_t t = 0; t < length; ++t) {
      if (tags[t] < 0 || tags[t] >= scores.tags) {
        throw DataError(text_of("chain: target ", tags[t], " at position ", t, " of sequence ", b,
                                ": expected a tag in [0, ", scores.tags, ")"));
      }
      const bool allowed =
          (t == 0 ? rules.may_begin(tags[t]) : rules.may_follow(tags[t - 1], tags[t])) &&
          (t + 1 < length || rules.may_end(tags[t]));
      if (!allowed) {
        throw DataError(text_of("chain: target ", tags[t], " at position ", t, " of sequence ", b,
                                ": the rules forbid it there"));
      }
    }
  }
}

template <typename Work>
void for_each_sequence(const Scores& scores, Work work) {
  // An exponential for each pair of tags in each word.
  const double operations = 100.0 * static_cast<double>(scores.batch * scores.tags * scores.tags) *
                            static_cast<double>(scores.longest);
  for_each_task(scores.batch, operations, [&](int64_t b) {
    if (scores.length(b) > 0) work(b);
  });
}

// The gradients of −log p of each sequence, float64; zero at first.
struct BatchGradients {
  at::Tensor emissions;    // (B, N, K)
  at::Tensor transitions;  // (B, K, K)
  at::Tensor begin;        // (B, K)
  at::Tensor end;          // (B, K)

  explicit BatchGradients(const Scores& s)
      : emissions(at::zeros_like(s.emissions)),
        transitions(at::zeros({s.batch, s.tags, s.tags}, emissions.options())),
        begin(at::zeros({s.batch, s.tags}, emissions.options())),
        end(at::zeros_like(begin)) {}

  Gradients of(int64_t b) const {
    const auto row = [b](const at::Tensor& rows) {
      return rows.mutable_data_ptr<double>() + b * rows.stride(0);
    };
    return {row(emissions), row(transitions), row(begin), row(end)};
  }
};

// −log p of each sequence, (B) float64, and its gradients where they are wanted.
at::Tensor losses_of(const Scores& scores, const ChainRules& rules, const at::Tensor& targets,
                     const BatchGradients* gradients) {
  const at::Tensor wanted = targets.to(at::kCPU).contiguous();
  check_targets(scores, rules, wanted);
  const at::Tensor losses = at::zeros({scores.batch}, scores.emissions.options());
  auto* loss = losses.mutable_data_ptr<double>();
  for_each_sequence(scores, [&](int64_t b) {
    const Sequence sequence(scores, rules, b);
    const int64_t* own = wanted.const_data_ptr<int64_t>() + b * scores.longest;
    const std::vector<double> sums = forward_sums(sequence);
    const double total = log_total(sequence, sums);
    loss[b] = total - score_of(sequence, own);
    if (gradients == nullptr) return;
    const Gradients out = gradients->of(b);
    add_expected(sequence, sums, total, out);
    subtract_targets(sequence, own, out);
  });
  return losses;
}

// Sums rows of (B, ...) with a factor each, in their order.
at::Tensor weighted_sum(const at::Tensor& rows, const at::Tensor& factors) {
  at::Tensor sum = at::zeros(rows.sizes().slice(1), rows.options());
  for (int64_t b = 0; b < rows.size(0); ++b) sum.add_(rows[b], factors[b].item<double>());
  return sum;
}

class ChainLoss : public torch::autograd::Function<ChainLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& emissions,
                            const at::Tensor& transitions, const at::Tensor& begin,
                            const at::Tensor& end, const at::Tensor& lengths,
                            const at::Tensor& targets, const ChainRules& rules) {
    const Scores scores({emissions, transitions, begin, end, lengths});
    const BatchGradients gradients(scores);
    const at::Tensor losses = losses_of(scores, rules, targets, &gradients);
    ctx->save_for_backward(
        {gradients.emissions, gradients.transitions, gradients.begin, gradients.end});
    return losses.to(emissions.device(), emissions.scalar_type());
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor factors = grads[0].to(at::kCPU, at::kDouble).contiguous();
    const auto as_given = [&](const at::Tensor& gradient) {
      return gradient.to(grads[0].device(), grads[0].scalar_type());
    };
    return {as_given(saved[0] * factors.view({-1, 1, 1})),
            as_given(weighted_sum(saved[1], factors)),
            as_given(weighted_sum(saved[2], factors)),
            as_given(weighted_sum(saved[3], factors)),
            {},
            {},
            {}};
  }
};

// They cost more than the loss itself.
bool needs_gradients(const ChainScores& s) {
  return at::GradMode::is_enabled() &&
         (s.emissions.requires_grad() || s.transitions.requires_grad() || s.begin.requires_grad() ||
          s.end.requires_grad());
}

}  // namespace

at::Tensor chain_loss(const ChainScores& scores, const ChainRules& rules,
                      const at::Tensor& targets) {
  check_scores(scores, rules);
  check_usage(targets.defined() && targets.scalar_type() == at::kLong && targets.dim() == 2 &&
                  targets.sizes() == scores.emissions.sizes().slice(0, 2),
              "chain_loss: expected targets (B, N) int64");
  if (!needs_gradients(scores)) {
    return losses_of(Scores(scores), rules, targets, nullptr)
        .to(scores.emissions.device(), scores.emissions.scalar_type());
  }
  return ChainLoss::apply(scores.emissions, scores.transitions, scores.begin, scores.end,
                          scores.lengths, targets, rules);
}

std::vector<std::vector<int64_t>> best_chains(const ChainScores& scores, const ChainRules& rules) {
  check_scores(scores, rules);
  const Scores plain(scores);
  std::vector<std::vector<int64_t>> chains(static_cast<size_t>(plain.batch));
  for_each_sequence(plain, [&](int64_t b) {
    const Sequence s(plain, rules, b);
    std::vector<double> best(static_cast<size_t>(s.tags));
    std::vector<double> next(best.size());
    std::vector<int32_t> came_from(static_cast<size_t>(s.length * s.tags), 0);
    for (int64_t k = 0; k < s.tags; ++k) best[static_cast<size_t>(k)] = s.first(k);
    for (int64_t t = 1; t < s.length; ++t) {
      for (int64_t k = 0; k < s.tags; ++k) {
        double largest = kNever;
        for (const int32_t j : rules.before(k)) {
          const double score = best[static_cast<size_t>(j)] + s.transition(j, k);
          if (score <= largest) continue;
          largest = score;
          came_from[static_cast<size_t>(t * s.tags + k)] = j;
        }
        next[static_cast<size_t>(k)] = largest + s.emission(t, k);
      }
      best.swap(next);
    }
    for (int64_t k = 0; k < s.tags; ++k) best[static_cast<size_t>(k)] += s.last(k);
    std::vector<int64_t>& chain = chains[static_cast<size_t>(b)];
    chain.resize(static_cast<size_t>(s.length));
    int64_t tag = std::max_element(best.begin(), best.end()) - best.begin();
    for (int64_t t = s.length - 1; t >= 0; --t) {
      chain[static_cast<size_t>(t)] = tag;
      tag = came_from[static_cast<size_t>(t * s.tags + tag)];
    }
  });
  return chains;
}

at::Tensor chain_marginals(const ChainScores& scores, const ChainRules& rules) {
  check_scores(scores, rules);
  const Scores plain(scores);
  const at::Tensor marginals = at::zeros_like(plain.emissions);
  auto* out = marginals.mutable_data_ptr<double>();
  for_each_sequence(plain, [&](int64_t b) {
    const Sequence s(plain, rules, b);
    const std::vector<double> forward = forward_sums(s);
    const std::vector<double> backward = backward_sums(s);
    const double total = log_total(s, forward);
    double* own = out + b * plain.longest * plain.tags;
    for (size_t i = 0; i < forward.size(); ++i) own[i] = std::exp(forward[i] + backward[i] - total);
  });
  return marginals;
}

}  // namespace heed::nn
