#include "heed/models/speech_recognizer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/files/speech_recognizer_files.h"
#include "heed/models/testing/test_models.h"
#include "heed/models/testing/test_speech.h"

namespace heed::models {
namespace {

SpeechRecognizerOptions small_speech_recognizer() {
  SpeechRecognizerOptions options{.num_tokens = 4};
  options.speech = small_speech(12);
  options.speech.subsampling = 2;
  return options;
}

TEST(SpeechRecognizer, GivesEachSoundWhatItGivesAlone) {
  at::manual_seed(1);
  SpeechRecognizer model(small_speech_recognizer());
  model.eval();
  const at::NoGradGuard no_grad;
  const at::Tensor frames = at::randn({2, 41, 12});
  const auto both = model.forward(frames, at::tensor({41, 18}, at::kLong));
  EXPECT_EQ(both.states.sizes(), at::IntArrayRef({2, 21, 4}));
  EXPECT_TRUE(at::equal(both.lengths, at::tensor({21, 9}, at::kLong)));
  EXPECT_TRUE(at::allclose(both.states.exp().sum(2), at::ones({2, 21})));
  const auto alone = model.forward(frames.slice(0, 1).slice(1, 0, 18));
  EXPECT_TRUE(at::allclose(both.states[1].slice(0, 0, 9), alone.states[0], 1e-4, 1e-5));
}

TEST(SpeechRecognizerFiles, ComeBackAsTheyWere) {
  at::manual_seed(2);
  const test::Folder folder;
  const TrainedSpeechRecognizer trained{
      .model = std::make_shared<SpeechRecognizer>(small_speech_recognizer()),
      .tokens = {"", " ", "a", "ö"},
      .words = false,
      .scale = {.means = std::vector<double>(12, -3), .deviations = std::vector<double>(12, 2)}};
  trained.model->eval();
  save(trained, folder / "model");
  const TrainedSpeechRecognizer loaded = load_speech_recognizer(folder / "model");
  EXPECT_EQ(loaded.tokens, trained.tokens);
  EXPECT_FALSE(loaded.words);
  const at::Tensor frames = at::randn({1, 20, 12});
  EXPECT_TRUE(
      at::equal(loaded.model->forward(frames).states, trained.model->forward(frames).states));
  for (const auto& [from, to] :
       {std::pair("\"num_tokens\": 4", "\"num_tokens\": 5"), std::pair("\"a\"", "\" \""),
        std::pair("\"characters\"", "\"syllables\"")}) {
    save(trained, folder / "model");
    replace_in_config(folder / "model", from, to);
    EXPECT_THAT(test::message_of<DataError>([&] { load_speech_recognizer(folder / "model"); }),
                testing::HasSubstr("config.json"));
  }
}

}  // namespace
}  // namespace heed::models
