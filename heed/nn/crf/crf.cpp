#include "heed/nn/crf/crf.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::nn {

ChainRules entity_rules(std::span<const std::string> tags, text::TagScheme scheme) {
  ChainRules::Allowed allowed;
  for (const std::string& tag : tags) {
    check_usage(text::is_tag(tag, scheme), "crf: expected tags of the scheme ",
                text::name_of(scheme), " (", text::tag_forms(scheme), "), got '", tag, "'");
    allowed.begin.push_back(text::may_follow("O", tag, scheme) ? 1 : 0);
    allowed.end.push_back(text::may_follow(tag, "O", scheme) ? 1 : 0);
    for (const std::string& next : tags) {
      allowed.transitions.push_back(text::may_follow(tag, next, scheme) ? 1 : 0);
    }
  }
  return ChainRules(allowed);
}

Crf::Crf(const ChainRules& rules) : rules_(rules) {
  const int64_t tags = rules.tags();
  transitions = register_parameter("transitions", at::zeros({tags, tags}));
  begin = register_parameter("begin", at::zeros({tags}));
  end = register_parameter("end", at::zeros({tags}));
}

ChainScores Crf::chain(const at::Tensor& emissions, const at::Tensor& lengths) const {
  check_usage(emissions.dim() == 3, "crf: expected emissions (B, N, ", rules_.tags(), "), got ",
              emissions.sizes());
  // Where the layer stands apart from the model that makes the emissions, it follows them.
  const auto beside = [&](const at::Tensor& parameter) {
    return parameter.to(emissions.device(), emissions.scalar_type());
  };
  const at::Tensor all = lengths.defined() ? lengths
                                           : at::full({emissions.size(0)}, emissions.size(1),
                                                      emissions.options().dtype(at::kLong));
  return {.emissions = emissions,
          .transitions = beside(transitions),
          .begin = beside(begin),
          .end = beside(end),
          .lengths = all};
}

at::Tensor Crf::loss(const at::Tensor& emissions, const at::Tensor& targets,
                     const at::Tensor& lengths) const {
  return chain_loss(chain(emissions, lengths), rules_, targets);
}

std::vector<std::vector<int64_t>> Crf::best(const at::Tensor& emissions,
                                            const at::Tensor& lengths) const {
  return best_chains(chain(emissions, lengths), rules_);
}

at::Tensor Crf::marginals(const at::Tensor& emissions, const at::Tensor& lengths) const {
  return chain_marginals(chain(emissions, lengths), rules_);
}

}  // namespace heed::nn
