// attention_checks.cpp and padding_check.cpp: models broken on purpose, and sound ones.
#include "heed/cli/doctor/attention_checks.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/text_task.h"
#include "heed/nn/attention/multi_head_attention.h"

namespace heed::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kTokens = 6;

AttentionView view_of(const at::Tensor& weights) {
  AttentionView view{.title = "a text", .weights = weights};
  view.queries.assign(static_cast<size_t>(weights.size(2)), "token");
  view.keys.assign(static_cast<size_t>(weights.size(3)), "token");
  return view;
}

// Two heads of one layer that choose: weights of random scores.
at::Tensor sound_weights() { return (2 * at::randn({1, 2, kTokens, kTokens})).softmax(-1); }

// What is found in some texts whose weights `change` broke.
template <typename Change>
doctor::Report found_after(const Change& change) {
  at::manual_seed(2);
  AttentionChecks checks;
  for (int i = 0; i < 6; ++i) {
    at::Tensor weights = sound_weights();
    change(weights);
    checks.add(view_of(weights));
  }
  doctor::Report report;
  checks.report(report);
  return report;
}

doctor::Finding only(const doctor::Report& report) {
  if (report.findings.size() == 1) return report.findings[0];
  ADD_FAILURE() << "expected one finding, got\n" << report.text();
  return {};
}

TEST(AttentionChecks, FindNothingInSoundHeads) {
  const doctor::Report report = found_after([](at::Tensor&) {});
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_THAT(report.checked, ElementsAre("attention", "heads"));
}

TEST(AttentionChecks, FindRowsThatDoNotSumToOne) {
  const auto found = only(found_after([](at::Tensor& w) { w.select(1, 1).mul_(1.01); }));
  EXPECT_EQ(found.severity, doctor::Severity::kStop);
  EXPECT_THAT(found.examples, ElementsAre("layer 1, head 2: 36 rows, a sum of 1.01"));
}

TEST(AttentionChecks, ARowThatMayAttendToNothingIsSound) {
  const auto report = found_after([](at::Tensor& w) { w.select(2, 0).zero_(); });
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
}

TEST(AttentionChecks, FindWeightsThatAreNoNumbers) {
  const auto found = only(found_after([](at::Tensor& w) {
    w.index_put_({0, 0, 3}, at::scalar_tensor(NAN));
  }));
  EXPECT_EQ(found.severity, doctor::Severity::kStop);
  EXPECT_THAT(found.examples, ElementsAre("layer 1, head 1: 6 rows"));
}

TEST(AttentionChecks, FindHeadsThatLookEverywhereAlike) {
  const auto found = only(found_after([](at::Tensor& w) { w.select(1, 0).fill_(1.0 / kTokens); }));
  EXPECT_EQ(found.severity, doctor::Severity::kNote);
  EXPECT_THAT(found.summary, HasSubstr("1 head look"));
  EXPECT_THAT(found.examples, ElementsAre(HasSubstr("layer 1, head 1")));
}

TEST(AttentionChecks, FindHeadsThatLookAtOnePlace) {
  const auto first = only(found_after([](at::Tensor& w) {
    w.select(1, 1).zero_();
    w.select(1, 1).select(2, 0).fill_(1);
  }));
  EXPECT_THAT(first.examples, ElementsAre("layer 1, head 2: the first token (100 %)"));
  const auto itself =
      only(found_after([](at::Tensor& w) { w.select(1, 1).copy_(at::eye(kTokens).unsqueeze(0)); }));
  EXPECT_THAT(itself.examples, ElementsAre(HasSubstr("the token itself")));
}

// A network of one attention layer over letters, which says how much of the text is an "a". Broken,
// it forgets that texts of a batch have different lengths.
class Letters final : public TextTask<TextInput> {
 public:
  explicit Letters(bool masks) : masks_(masks), layer_({.d_model = 8, .num_heads = 2}) {
    layer_.eval();
  }
  OrderedJson description() const override { return OrderedJson::object(); }
  TaskEvaluation evaluate(const std::vector<std::string>& /*files*/,
                          const tasks::Progress& /*progress*/) const override {
    return {};
  }

  // As if the values of this head were nothing.
  void silence(int64_t head) { silent_ = head; }

 protected:
  data::CharacterEncoding encoding() const override { return {}; }
  TextInput input_of(std::string line) const override { return {.text = std::move(line)}; }

  std::vector<Answer> answer(std::span<const TextInput> inputs,
                             AnswerWriter& /*answers*/) const override {
    const at::NoGradGuard no_grad;
    int64_t longest = 0;
    std::vector<int64_t> lengths;
    for (const TextInput& each : inputs) lengths.push_back(std::ssize(each.text));
    for (const int64_t length : lengths) longest = std::max(longest, length);
    at::Tensor letters = at::zeros({std::ssize(inputs), longest, 8});
    for (size_t b = 0; b < inputs.size(); ++b) {
      for (size_t i = 0; i < inputs[b].text.size(); ++i) {
        letters[static_cast<int64_t>(b)][static_cast<int64_t>(i)][inputs[b].text[i] % 8] = 3;
      }
    }
    const Pattern pattern =
        masks_ ? Pattern::padded({.key = at::tensor(lengths, at::kLong)}) : Pattern::full();
    const at::Tensor read = layer_.forward(letters, pattern);
    std::vector<Answer> found;
    for (size_t b = 0; b < inputs.size(); ++b) {
      const auto row = static_cast<int64_t>(b);
      const auto value = read[row].narrow(0, 0, lengths[b]).mean().item<double>();
      found.push_back({.json = {{"value", value}}});
    }
    return found;
  }

  AttentionView attention_of(const TextInput& input,
                             const AttentionRequest& /*request*/) const override {
    const at::NoGradGuard no_grad;
    nn::AttentionRecorder recorder;
    AttentionView view;
    for (const char c : input.text) view.queries.emplace_back(1, c);
    view.keys = view.queries;
    layer_.forward(at::randn({1, std::ssize(input.text), 8}), Pattern::full());
    view.calls = std::move(recorder.self);
    if (silent_ >= 0) view.calls[0].tokens.result.output.select(1, silent_).zero_();
    return view;
  }

 private:
  bool masks_;
  nn::MultiHeadAttention layer_;
  int64_t silent_ = -1;
};

const std::vector<std::string> kTexts = {"abcd", "abcdefg", "gfedcbagfedcba", "aaaa"};

TEST(PaddingCheck, FindsNothingWhereItIsMasked) {
  at::manual_seed(1);
  doctor::Report report;
  check_padding(Letters(/*masks=*/true), kTexts, report);
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_THAT(report.checked, ElementsAre("padding"));
}

TEST(PaddingCheck, FindsAMaskThatIsMissing) {
  at::manual_seed(1);
  doctor::Report report;
  check_padding(Letters(/*masks=*/false), kTexts, report);
  ASSERT_EQ(report.findings.size(), 2U) << report.text();
  EXPECT_THAT(report.findings[0].summary, HasSubstr("only fill up a batch are attended to"));
  EXPECT_THAT(report.findings[1].summary, HasSubstr("depend on the other texts"));
  EXPECT_FALSE(report.go_on());
}

TEST(AttentionChecks, FindHeadsThatGiveNothingOn) {
  at::manual_seed(1);
  Letters model(/*masks=*/true);
  const auto report_of = [&] {
    AttentionChecks checks;
    for (const std::string& text : kTexts) checks.add(model.attend(text, {}));
    doctor::Report report;
    checks.report(report);
    return report;
  };
  EXPECT_THAT(report_of().findings, IsEmpty()) << report_of().text();
  model.silence(1);
  const auto found = only(report_of());
  EXPECT_EQ(found.severity, doctor::Severity::kWarning);
  EXPECT_THAT(found.examples, ElementsAre(HasSubstr("layer 1, head 2: output 0.0e+00")));
}

}  // namespace
}  // namespace heed::cli
