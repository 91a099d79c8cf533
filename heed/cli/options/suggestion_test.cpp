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
  EXPECT_EQ(nearest("target-column", {"train", "target", "out"}), "target");
  EXPECT_EQ(nearest("text-column-name", {"text", "text-column"}), "text-column");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), known), "");
}

TEST(Suggestion, NamesOfOthers) {
  Options options("heed s", "A command");
  double lr = 0;
  int64_t beams = 0, batch = 0;
  options.add("--lr", lr, "A number");
  options.add("--num-beams", beams, "A number");
  options.add("--batch-size", batch, "A number");
  EXPECT_EQ(similar_option(options, "learning-rate"), "lr");
  EXPECT_EQ(similar_option(options, "learning_rate=0.1"), "lr");
  EXPECT_EQ(similar_option(options, "beam_size"), "num-beams");
  EXPECT_EQ(similar_option(options, "per_device_train_batch_size"), "batch-size");
  EXPECT_EQ(similar_option(options, "batch-sise"), "batch-size");
  EXPECT_EQ(similar_option(options, "d-model"), "");  // this command has no such thing
  EXPECT_EQ(option_called(options, "batch_size"), "batch-size");
  EXPECT_EQ(option_called(options, "batch_sise"), "");
  EXPECT_EQ(did_you_mean("--lr"), "; did you mean --lr?");
  EXPECT_EQ(did_you_mean(""), "");
}

}  // namespace
}  // namespace heed::cli
