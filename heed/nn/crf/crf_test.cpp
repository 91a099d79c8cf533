#include "heed/nn/crf/crf.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"
#include "heed/ops/testing/optimizers.h"

namespace heed::nn {
namespace {

using text::TagScheme;

const std::vector<std::string> kTypes = {"LOC", "PER"};

TEST(Crf, OwnsWhatTheChainLearns) {
  at::manual_seed(5);
  Crf crf(ChainRules(3));
  EXPECT_EQ(crf.named_parameters().keys(),
            (std::vector<std::string>{"transitions", "begin", "end"}));
  for (at::Tensor& parameter : crf.parameters()) parameter.detach().normal_();
  const at::Tensor emissions = at::randn({2, 4, 3});
  const at::Tensor targets = at::randint(3, {2, 4});
  const at::Tensor lengths = at::tensor({4, 2}, at::kLong);
  const ChainScores scores{.emissions = emissions,
                           .transitions = crf.transitions,
                           .begin = crf.begin,
                           .end = crf.end,
                           .lengths = lengths};
  const at::Tensor losses = crf.loss(emissions, targets, lengths);
  EXPECT_TRUE(losses.equal(chain_loss(scores, crf.rules(), targets)));
  EXPECT_EQ(crf.best(emissions, lengths), best_chains(scores, crf.rules()));
  EXPECT_TRUE(crf.marginals(emissions, lengths).equal(chain_marginals(scores, crf.rules())));
  losses.sum().backward();
  for (const at::Tensor& parameter : crf.parameters()) EXPECT_TRUE(parameter.grad().defined());
}

TEST(Crf, WithoutLengthsAllTokensCount) {
  at::manual_seed(5);
  const Crf crf(ChainRules(3));
  const at::Tensor emissions = at::randn({2, 4, 3});
  const at::Tensor targets = at::randint(3, {2, 4});
  const at::Tensor lengths = at::tensor({4, 4}, at::kLong);
  EXPECT_TRUE(crf.loss(emissions, targets).equal(crf.loss(emissions, targets, lengths)));
  EXPECT_EQ(crf.best(emissions), crf.best(emissions, lengths));
}

// Whatever the emissions: no tag stands where the scheme forbids it.
TEST(Crf, KnowsTheSchemes) {
  for (const TagScheme scheme : {TagScheme::kIob1, TagScheme::kBio, TagScheme::kBioes}) {
    at::manual_seed(5);
    const std::vector<std::string> tags = text::all_tags(kTypes, scheme);
    const Crf crf(tags, scheme);
    const auto best = crf.best(at::randn({50, 7, std::ssize(tags)}) * 5);
    ASSERT_EQ(best.size(), 50U);
    for (const auto& row : best) {
      std::vector<std::string> found;
      for (const int64_t tag : row) found.push_back(tags[static_cast<size_t>(tag)]);
      EXPECT_FALSE(text::first_tag_fault(found, scheme).has_value()) << text::name_of(scheme);
    }
  }
}

TEST(Crf, LearnsWhatFollowsWhat) {
  at::manual_seed(5);
  Crf crf(ChainRules(3));
  const at::Tensor emissions = at::zeros({1, 6, 3});  // which say nothing
  const at::Tensor targets = at::tensor({0, 1, 2, 0, 1, 2}, at::kLong).view({1, 6});
  torch::optim::Adam adam(crf.parameters(), torch::optim::AdamOptions(0.1));
  for (int step = 0; step < 50; ++step) {
    adam.zero_grad();
    crf.loss(emissions, targets).sum().backward();
    adam.step();
  }
  EXPECT_EQ(crf.best(emissions)[0], (std::vector<int64_t>{0, 1, 2, 0, 1, 2}));
}

TEST(Crf, FollowsItsEmissionsToTheirDtype) {
  const Crf crf(ChainRules(3));
  EXPECT_EQ(crf.loss(at::zeros({1, 2, 3}, at::kDouble), at::zeros({1, 2}, at::kLong)).scalar_type(),
            at::kDouble);
}

TEST(Crf, SaysWhichTagTheSchemeDoesNotHave) {
  for (const char* wrong : {"E-PER", "PER", "B", "B-", "", "O-PER"}) {
    const std::vector<std::string> tags = {"O", "B-PER", wrong};
    try {
      entity_rules(tags, TagScheme::kBio);
      ADD_FAILURE() << wrong;
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()),
                "crf: expected tags of the scheme bio (O, B-TYPE or I-TYPE), got '" +
                    std::string(wrong) + "'");
    }
  }
  EXPECT_THROW(Crf(ChainRules(3)).best(at::zeros({2, 3})), UsageError);
}

}  // namespace
}  // namespace heed::nn
