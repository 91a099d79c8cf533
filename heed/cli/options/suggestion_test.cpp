#include "heed/cli/options/suggestion.h"

#include <gtest/gtest.h>

#include <string>

namespace heed::cli {
namespace {

TEST(Suggestion, MistakesOfTyping) {
  const std::vector<std::string> known = {"train", "eval", "predict", "generate", "tokenize"};
  EXPECT_EQ(nearest("trian", known), "train");
  EXPECT_EQ(nearest("evaluate", {"eval", "epochs"}), "");
  EXPECT_EQ(nearest("predcit", known), "predict");
  EXPECT_EQ(nearest("gen", known), "generate");
  EXPECT_EQ(nearest("fly", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), known), "");
}

TEST(Suggestion, NamesOfOthers) {
  CLI::App app;
  double lr = 0;
  int64_t beams = 0, batch = 0;
  app.add_option("--lr", lr);
  app.add_option("--num-beams", beams);
  app.add_option("--batch-size", batch);
  EXPECT_EQ(similar_option(app, "learning-rate"), "lr");
  EXPECT_EQ(similar_option(app, "learning_rate=0.1"), "lr");
  EXPECT_EQ(similar_option(app, "beam_size"), "num-beams");
  EXPECT_EQ(similar_option(app, "per_device_train_batch_size"), "batch-size");
  EXPECT_EQ(similar_option(app, "batch-sise"), "batch-size");
  EXPECT_EQ(similar_option(app, "d-model"), "");  // this command has no such thing
  EXPECT_EQ(option_called(app, "batch_size"), "batch-size");
  EXPECT_EQ(option_called(app, "batch_sise"), "");
  EXPECT_EQ(did_you_mean("--lr"), "; did you mean --lr?");
  EXPECT_EQ(did_you_mean(""), "");
}

}  // namespace
}  // namespace heed::cli
