#include "heed/models/forecaster.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/files/forecaster_files.h"

namespace heed::models {
namespace {

ForecasterOptions small_forecaster() {
  ForecasterOptions options{
      .context_length = 20, .horizon = 5, .patch_length = 8, .patch_stride = 4, .num_series = 3};
  options.transformer.num_layers = 1;
  options.transformer.d_ff = 32;
  return options;
}

TEST(Forecaster, WritesTheWholeHorizon) {
  at::manual_seed(1);
  Forecaster model(small_forecaster());
  model.eval();
  nn::AttentionTrace trace;
  EXPECT_EQ(model.forward(at::randn({2, 20, 3}), {}, &trace).sizes(), at::IntArrayRef({2, 5, 3}));
  EXPECT_EQ(num_patches(small_forecaster()), 4);
}

// Kim et al. 2022: a window that is shifted and stretched gives a forecast that is, too.
TEST(Forecaster, FollowsShiftAndScale) {
  at::manual_seed(2);
  Forecaster model(small_forecaster());
  model.eval();
  const at::Tensor past = at::randn({2, 20, 3});
  const at::Tensor expected = model.forward(past) * 50 + 7;
  EXPECT_TRUE(at::allclose(model.forward(past * 50 + 7), expected, 1e-4, 1e-2));
}

TEST(Forecaster, IndependentSeriesDoNotSeeEachOther) {
  at::manual_seed(3);
  const at::Tensor past = at::randn({1, 20, 3});
  at::Tensor changed = past.clone();
  changed.select(2, 1).add_(at::randn({1, 20}));
  for (const bool independent : {true, false}) {
    ForecasterOptions options = small_forecaster();
    options.channel_independent = independent;
    Forecaster model(options);
    model.eval();
    const at::Tensor difference = (model.forward(changed) - model.forward(past)).abs().sum(1);
    EXPECT_EQ(difference[0][0].item<float>() == 0, independent);
    EXPECT_GT(difference[0][1].item<float>(), 0);
  }
}

TEST(Forecaster, ReadsWhatIsKnownOfTheFuture) {
  at::manual_seed(4);
  ForecasterOptions options = small_forecaster();
  options.num_covariates = 2;
  Forecaster model(options);
  model.eval();
  const at::Tensor past = at::randn({1, 20, 3});
  at::Tensor known = at::randn({1, 25, 2});
  const at::Tensor before = model.forward(past, known);
  known[0][24].add_(1);
  const at::Tensor difference = (model.forward(past, known) - before).abs().sum(2)[0];
  EXPECT_EQ(difference[3].item<float>(), 0);
  EXPECT_GT(difference[4].item<float>(), 0);
  EXPECT_THROW(model.forward(past), UsageError);
  EXPECT_THROW(model.forward(at::randn({1, 19, 3}), known), UsageError);
}

TEST(Forecaster, BeginsAsItsShortcutWhichDoesNotLearn) {
  at::manual_seed(6);
  ForecasterOptions options = small_forecaster();
  options.num_covariates = 2;
  EXPECT_THROW(Forecaster(options).begin_with(at::zeros({5, 20})), UsageError);
  options.linear_shortcut = true;
  Forecaster model(options);
  const at::Tensor map = at::randn({5, 20});
  model.begin_with(map);
  const at::Tensor past = at::randn({2, 20, 3}) * 9 + 4;
  const at::Tensor last = past.narrow(1, 19, 1);
  const at::Tensor forecasts = model.forward(past, at::randn({2, 25, 2}));
  EXPECT_TRUE(at::allclose(forecasts, at::matmul(map, past - last) + last, 1e-4, 1e-3));
  forecasts.square().sum().backward();
  const auto parameters = model.named_parameters();
  EXPECT_FALSE(parameters["shortcut.weight"].grad().defined());
  EXPECT_GT(parameters["head.weight"].grad().abs().max().item<float>(), 0);
}

TEST(Forecaster, OptionsThatCannotBeAreRefused) {
  ForecasterOptions options = small_forecaster();
  options.patch_length = 21;
  EXPECT_THROW(check(options), UsageError);
  options.patch_length = 4;
  options.patch_stride = 5;
  EXPECT_THROW(check(options), UsageError);
}

TEST(ForecasterFiles, ComeBackAsTheyWere) {
  at::manual_seed(5);
  const test::Folder folder;
  ForecasterOptions options = small_forecaster();
  options.linear_shortcut = true;
  TrainedForecaster trained{.model = std::make_shared<Forecaster>(options),
                            .series = {"a", "b", "c"},
                            .means = {1, 2, 3},
                            .deviations = {1, 1, 2},
                            .coverages = {0.8},
                            .half_widths = std::vector<double>(15, 0.5)};
  trained.model->begin_with(at::randn({5, 20}));
  trained.model->eval();
  save(trained, folder / "model");
  const TrainedForecaster loaded = load_forecaster(folder / "model");
  EXPECT_EQ(loaded.series, trained.series);
  EXPECT_EQ(loaded.half_widths, trained.half_widths);
  const at::Tensor past = at::randn({2, 20, 3});
  EXPECT_TRUE(at::equal(loaded.model->forward(past), trained.model->forward(past)));
}

}  // namespace
}  // namespace heed::models
