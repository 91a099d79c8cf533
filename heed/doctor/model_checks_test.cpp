// The checks of model_checks.h, each on numbers that are broken on purpose, and all on sound ones.
#include "heed/doctor/model_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/io/testing/test_files.h"

namespace heed::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Finding only(const Report& report, const std::string& check) {
  if (report.findings.size() == 1 && report.findings[0].check == check) return report.findings[0];
  ADD_FAILURE() << "expected one finding of " << check << ", got\n" << report.text();
  return {};
}

// ---- Parameters

Report of_parameters(std::vector<float> matrix) {
  const std::vector<float> bias(4, 0.0F);
  const auto stored = [](const char* name, std::vector<int64_t> shape,
                         const std::vector<float>& values) -> StoredTensor {
    return {.name = name,
            .shape = std::move(shape),
            .data = reinterpret_cast<const std::byte*>(values.data()),
            .bytes = values.size() * sizeof(float)};
  };
  const test::Folder folder;
  write_safetensors(folder / "model.safetensors",
                    {stored("layer.bias", {4}, bias), stored("layer.weight", {2, 2}, matrix)});
  Report report;
  check_parameters(Safetensors::from_directory(folder.path()), report);
  return report;
}

TEST(ModelDoctor, FindsParametersThatAreNoNumbers) {
  const Finding found = only(of_parameters({1, NAN, -INFINITY, 2}), "parameters");
  EXPECT_EQ(found.severity, Severity::kStop);
  EXPECT_THAT(found.summary, HasSubstr("2 of 8 parameters"));
  EXPECT_THAT(found.examples, ElementsAre(HasSubstr("layer.weight: 2 of 4")));
}

TEST(ModelDoctor, FindsMatricesOfZeros) {
  const Finding found = only(of_parameters({0, -0.0F, 0, 0}), "parameters");
  EXPECT_EQ(found.severity, Severity::kWarning);
  EXPECT_THAT(found.examples, ElementsAre("layer.weight"));
}

TEST(ModelDoctor, FindsNothingInSoundParameters) {
  const Report report = of_parameters({1, -2, 3e38F, 1e-40F});
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_EQ(report.numbers["parameters"], 8);
}

// ---- Judgements

// Of `count` examples of two classes with as many tokens as their number, those that `right` says.
// Each is `sure` of what it says.
template <typename Right>
std::vector<Judgement> judged(int count, double sure, const Right& right) {
  std::vector<Judgement> all;
  for (int i = 0; i < count; ++i) {
    const int32_t expected = i / 5 % 2;
    const bool says_first = (expected == 0) == right(i);
    all.push_back({.tokens = i,
                   .expected = expected,
                   .probabilities = {says_first ? sure : 1 - sure, says_first ? 1 - sure : sure}});
  }
  return all;
}

Report of_judgements(const std::vector<Judgement>& judgements) {
  Report report;
  check_calibration(judgements, report);
  check_accuracy(judgements, {.labels = {"bad", "good"}}, report);
  return report;
}

bool four_in_five(int i) { return i % 5 != 0; }

TEST(ModelDoctor, FindsNothingInASoundClassifier) {
  const Report report = of_judgements(judged(1000, 0.8, four_in_five));
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_THAT(report.checked,
              ElementsAre("calibration", "accuracy by length", "accuracy by class"));
  const auto& calibration = report.numbers["calibration"];
  EXPECT_NEAR(calibration["expected_error"].get<double>(), 0, 1e-9);
  EXPECT_NEAR(calibration["temperature"].get<double>(), 1, 1e-3);
  EXPECT_EQ(calibration["reliability"].size(), 1U);
}

TEST(ModelDoctor, OffersATemperatureToOneThatIsTooSure) {
  const Report report = of_judgements(judged(1000, 0.99, four_in_five));
  const Finding found = only(report, "calibration");
  EXPECT_THAT(found.summary, HasSubstr("off by 19 points on average: it is too sure"));
  // log(0.99 / 0.01) / log(0.8 / 0.2)
  EXPECT_THAT(found.advice, HasSubstr("3.31"));
  EXPECT_NEAR(report.numbers["calibration"]["expected_error_with_temperature"].get<double>(), 0,
              1e-3);
}

TEST(ModelDoctor, FindsOneThatIsTooUnsure) {
  const Finding found = only(of_judgements(judged(1000, 0.6, four_in_five)), "calibration");
  EXPECT_THAT(found.summary, HasSubstr("too unsure"));
}

TEST(ModelDoctor, SaysNothingOfFewExamples) {
  EXPECT_THAT(of_judgements(judged(15, 0.99, [](int) { return false; })).findings, IsEmpty());
}

TEST(ModelDoctor, FindsLengthsAtWhichItIsWorse) {
  const auto long_ones_are_wrong = [](int i) { return i < 750 ? i % 20 != 0 : i % 2 != 0; };
  const Report report = of_judgements(judged(1000, 0.84, long_ones_are_wrong));
  EXPECT_THAT(only(report, "accuracy by length").summary,
              HasSubstr("texts of 750 to 999 tokens are right in 50 %"));
}

TEST(ModelDoctor, FindsClassesThatAreHardlyFound) {
  const auto second_is_wrong = [](int i) { return i / 5 % 2 == 0 || i % 10 == 5; };
  const Report report = of_judgements(judged(1000, 0.6, second_is_wrong));
  const Finding found = only(report, "accuracy by class");
  EXPECT_THAT(found.examples, ElementsAre(HasSubstr("100 of 500 examples (20.0 %) found")));
}

Report of_columns(const std::vector<Judgement>& judgements) {
  Report report;
  check_accuracy(judgements, {.labels = {"bad", "good"}, .columns = {"source", "id"}}, report);
  return report;
}

TEST(ModelDoctor, FindsValuesOfAColumnAtWhichItIsWorse) {
  // Every tenth is of the phone, where it is right in half.
  auto all = judged(1000, 0.9, [](int i) { return i % 10 != 0 || i % 20 == 0; });
  for (Judgement& each : all) {
    each.columns = {each.tokens % 10 == 0 ? "phone" : "web", std::to_string(each.tokens)};
  }
  const Report report = of_columns(all);
  EXPECT_THAT(only(report, "accuracy by column").summary,
              HasSubstr("where \"source\" is \"phone\", 50 % are right, all together 95 %"));
  EXPECT_EQ(report.numbers["accuracy_by_column"].size(), 2U);  // an id sorts nothing
}

TEST(ModelDoctor, FindsNothingInColumnsThatMakeNoDifference) {
  auto all = judged(1000, 0.8, four_in_five);
  for (Judgement& each : all) each.columns = {each.tokens % 3 == 0 ? "phone" : "web"};
  const Report report = of_columns(all);
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_THAT(report.checked, testing::Contains("accuracy by column"));
}

// ---- Layers and speed

std::vector<LayerSize> sound_layers() {
  std::vector<LayerSize> layers;
  for (const char* name : {"embedding", "up", "down", "classifier"}) {
    layers.push_back({.name = name,
                      .multiplies = layers.size() > 0,
                      .output = 2,
                      .largest = 40,
                      .change = 0.8,
                      .gradient = 1e-3 * static_cast<double>(1 + 50 * layers.size())});
  }
  layers.front().change = 0;  // of an embedding it may be 0
  return layers;
}

template <typename Change>
Report of_layers(const Change& change) {
  auto layers = sound_layers();
  change(layers);
  Report report;
  check_layers(layers, report);
  return report;
}

TEST(ModelDoctor, FindsNothingInSoundLayers) {
  const Report report = of_layers([](auto&) {});
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_EQ(report.numbers["layers"].size(), 4U);
}

TEST(ModelDoctor, FindsOutputsThatHalfPrecisionDoesNotHold) {
  const Report report = of_layers([](auto& layers) { layers[2].largest = 7e4; });
  EXPECT_THAT(only(report, "outputs of layers").examples, ElementsAre("down: up to 7.0e+04"));
}

TEST(ModelDoctor, FindsLayersThatGiveTheSameWhateverTheyGet) {
  const Report report = of_layers([](auto& layers) { layers[1].change = 1e-8; });
  EXPECT_THAT(only(report, "outputs of layers").summary,
              HasSubstr("1 layer that give the same whatever they get"));
}

TEST(ModelDoctor, FindsGradientsThatVanishOrLeap) {
  const Report vanished = of_layers([](auto& layers) { layers[0].gradient = 1e-12; });
  EXPECT_THAT(only(vanished, "gradients of layers").examples, ElementsAre(HasSubstr("embedding")));
  const Report leaping = of_layers([](auto& layers) { layers[3].gradient = 1e9; });
  EXPECT_THAT(only(leaping, "gradients of layers").summary, HasSubstr("gradients that leap"));
}

Report of_speed(const Speed& speed) {
  Report report;
  check_speed(speed, report);
  return report;
}

TEST(ModelDoctor, FindsAModelThatLeavesTheMachineIdle) {
  const Speed sound{.tokens_per_second = 1e4,
                    .parameters = 2'000'000,
                    .machine = 1e11,
                    .peak_bytes = 1 << 30,
                    .allowed_bytes = uint64_t{8} << 30};
  const Report report = of_speed(sound);
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_NEAR(report.numbers["speed"]["share"].get<double>(), 0.4, 1e-9);

  Speed idle = sound;
  idle.tokens_per_second = 100;
  EXPECT_THAT(only(of_speed(idle), "speed and memory").summary,
              HasSubstr("it computes at 0.4 % of what the machine can"));
  idle.parameters = 1000;  // a small one waits for other things
  EXPECT_THAT(of_speed(idle).findings, IsEmpty());

  Speed full = sound;
  full.peak_bytes = uint64_t{7900} << 20;
  EXPECT_THAT(only(of_speed(full), "speed and memory").summary, HasSubstr("of memory"));
}

// ---- Training

LoggedSeries series(const std::vector<double>& values) {
  LoggedSeries all;
  for (const double value : values) {
    all.steps.push_back(static_cast<double>(10 * (all.steps.size() + 1)));
    all.values.push_back(value);
  }
  return all;
}

Report of_run(const std::vector<double>& train, const std::vector<double>& valid,
              std::vector<double> norms = {}) {
  Report report;
  norms.resize(30, 1.0);
  check_training({{"train_loss", series(train)},
                  {"validation.loss", series(valid)},
                  {"gradient_norm", series(norms)}},
                 report);
  return report;
}

TEST(ModelDoctor, FindsNothingInASoundRun) {
  const Report report =
      of_run({0.7, 0.5, 0.4, 0.35, 0.3, 0.28}, {0.6, 0.5, 0.45, 0.44, 0.44, 0.45});
  EXPECT_THAT(report.findings, IsEmpty()) << report.text();
  EXPECT_THAT(report.checked, ElementsAre("training", "gradients"));
}

TEST(ModelDoctor, WhatMovesNextToNothingIsNoFinding) {
  EXPECT_THAT(of_run({0.7, 0.1, 1e-4, 6e-5}, {0.3, 1e-3, 2e-4, 1e-4}).findings, IsEmpty());
  EXPECT_THAT(of_run({0.7, 0.1, 1e-4, 6e-5}, {0.3, 1e-3, 1e-4, 4e-4}).findings, IsEmpty());
}

TEST(ModelDoctor, FindsARunThatLearnedNothing) {
  const Finding found = only(of_run({0.69, 0.693, 0.692}, {0.69, 0.7, 0.69}), "training");
  EXPECT_EQ(found.severity, Severity::kWarning);
  EXPECT_THAT(found.advice, HasSubstr("--lr"));
}

TEST(ModelDoctor, FindsOverfitting) {
  const Finding found = only(of_run({0.7, 0.3, 0.1, 0.01}, {0.6, 0.5, 0.7, 1.2}), "training");
  EXPECT_THAT(found.summary, HasSubstr("0.5 at step 20 and 1.2 at the end"));
}

TEST(ModelDoctor, FindsARunThatEndedTooEarly) {
  const Finding found = only(of_run({2, 1.5, 1.2, 1}, {2, 1.6, 1.3, 1.1}), "training");
  EXPECT_THAT(found.summary, HasSubstr("still getting better"));
}

TEST(ModelDoctor, FindsGradientsThatJump) {
  const Finding found =
      only(of_run({0.7, 0.5, 0.4, 0.35}, {0.6, 0.5, 0.45, 0.45}, {1, 1, 500}), "gradients");
  EXPECT_THAT(found.summary, HasSubstr("a norm of 500 at step 30, 1 in the middle"));
}

TEST(ModelDoctor, ARunWithoutALogIsNotChecked) {
  Report report;
  check_training({}, report);
  EXPECT_THAT(report.checked, IsEmpty());
}

}  // namespace
}  // namespace heed::doctor
