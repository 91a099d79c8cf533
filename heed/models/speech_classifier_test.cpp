#include "heed/models/speech_classifier.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/files/speech_classifier_files.h"
#include "heed/models/testing/test_models.h"
#include "heed/models/testing/test_speech.h"

namespace heed::models {
namespace {

SpeechClassifierOptions small_speech_classifier() {
  SpeechClassifierOptions options{.num_classes = 3};
  options.speech = small_speech(12);
  options.speech.transformer.num_layers = 2;
  return options;
}

TEST(SpeechClassifier, GivesEachSoundWhatItGivesAlone) {
  for (const char* positions : {"rotary", "sinusoidal", "learned", "none"}) {
    at::manual_seed(1);
    SpeechClassifierOptions options = small_speech_classifier();
    options.speech.transformer.attention.positions = positions;
    SpeechClassifier model(options);
    model.eval();
    const at::NoGradGuard no_grad;
    const at::Tensor frames = at::randn({3, 41, 12});
    nn::AttentionTrace trace;
    const at::Tensor both = model.forward(frames, at::tensor({41, 1, 18}, at::kLong), &trace);
    EXPECT_EQ(both.sizes(), at::IntArrayRef({3, 3}));
    ASSERT_EQ(trace.weights.size(), 2U);
    EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({3, 2, 11, 11}));
    const at::Tensor alone = model.forward(frames.slice(0, 2).slice(1, 0, 18));
    EXPECT_TRUE(at::allclose(both[2], alone[0], 1e-4, 1e-5)) << positions;
  }
}

TEST(SpeechClassifier, OptionsThatCannotBeAreRefused) {
  const auto refused = [](const auto& change) {
    SpeechClassifierOptions options = small_speech_classifier();
    change(options.speech);
    EXPECT_THROW(check(options), UsageError);
  };
  refused([](SpeechOptions& o) { o.subsampling = 3; });
  refused([](SpeechOptions& o) { o.kernel_size = 4; });
  refused([](SpeechOptions& o) { o.mel_scale = "bark"; });
  refused([](SpeechOptions& o) { o.transformer.num_heads = 3; });
  SpeechClassifier model(small_speech_classifier());
  EXPECT_THROW(model.forward(at::randn({1, 5, 11})), UsageError);
}

TEST(SpeechClassifierFiles, ComeBackAsTheyWere) {
  at::manual_seed(2);
  const test::Folder folder;
  const TrainedSpeechClassifier trained{
      .model = std::make_shared<SpeechClassifier>(small_speech_classifier()),
      .labels = {"no", "stop", "yes"},
      .scale = {.means = std::vector<double>(12, -3), .deviations = std::vector<double>(12, 2)}};
  trained.model->eval();
  save(trained, folder / "model");
  const TrainedSpeechClassifier loaded = load_speech_classifier(folder / "model");
  EXPECT_EQ(loaded.labels, trained.labels);
  EXPECT_EQ(loaded.scale.deviations, trained.scale.deviations);
  const at::Tensor frames = at::randn({1, 20, 12});
  EXPECT_TRUE(at::equal(loaded.model->forward(frames), trained.model->forward(frames)));
}

TEST(SpeechClassifierFiles, AConfigThatDoesNotFitIsRefused) {
  const test::Folder folder;
  for (const auto& [from, to] : {std::pair("\"num_mel_bins\": 12", "\"num_mel_bins\": 13"),
                                 std::pair("\"kernel_size\": 5", "\"kernel_size\": 7"),
                                 std::pair("\"subsampling\": 4", "\"subsampling\": 3"),
                                 std::pair("\"num_classes\": 3", "\"num_classes\": 4")}) {
    save({.model = std::make_shared<SpeechClassifier>(small_speech_classifier()),
          .labels = {"no", "stop", "yes"},
          .scale = {.means = std::vector<double>(12, 0), .deviations = std::vector<double>(12, 1)}},
         folder / "model");
    replace_in_config(folder / "model", from, to);
    EXPECT_THAT(test::message_of<DataError>([&] { load_speech_classifier(folder / "model"); }),
                testing::HasSubstr("config.json"));
  }
}

}  // namespace
}  // namespace heed::models
