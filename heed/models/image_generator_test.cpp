#include "heed/models/image_generator.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/image_generator_files.h"
#include "heed/models/testing/test_models.h"

namespace heed::models {
namespace {

// Six patches of two levels, 16 codes, 3 classes.
ImageGeneratorOptions small_generator() {
  return {.image_height = 4,
          .image_width = 6,
          .num_classes = 3,
          .patch_size = 2,
          .levels = 2,
          .codebook_size = 16,
          .transformer = small_transformer({.positions = "learned"})};
}

std::shared_ptr<ImageGenerator> spread_generator(const ImageGeneratorOptions& options) {
  auto model = std::make_shared<ImageGenerator>(options);
  spread_parameters(*model->language_model());
  model->set_codebook(whole_codebook(code_options(options), options.codebook_size));
  model->eval();
  return model;
}

TEST(ImageGenerator, PredictsEachCodeFromTheClassAndThoseBefore) {
  at::manual_seed(1);
  const auto model = spread_generator(small_generator());
  const at::Tensor classes = at::tensor({0, 2}).to(at::kLong);
  const at::Tensor codes = at::randint(16, {2, 6}, at::kLong);
  nn::AttentionTrace trace;
  const at::Tensor before = model->forward(classes, codes, &trace);
  ASSERT_EQ(before.sizes(), at::IntArrayRef({2, 6, 16}));
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({2, 4, 6, 6}));

  at::Tensor changed = codes.clone();
  changed[1][3] = (changed[1][3] + 1) % 16;
  const at::Tensor change = (model->forward(classes, changed) - before).abs().amax(2);
  EXPECT_EQ(change[0].max().item<float>(), 0);
  EXPECT_LT(change[1].narrow(0, 0, 4).max().item<float>(), 1e-6);  // its own prediction among them
  EXPECT_GT(change[1].narrow(0, 4, 2).min().item<float>(), 1e-5);

  const at::Tensor of_class =
      (model->forward(at::tensor({0, 1}).to(at::kLong), codes) - before).abs().amax(2);
  EXPECT_EQ(of_class[0].max().item<float>(), 0);
  EXPECT_GT(of_class[1].min().item<float>(), 1e-5);
}

TEST(ImageGenerator, ItsVocabularyIsCodesAndClasses) {
  const ImageGenerator model(small_generator());
  EXPECT_EQ(model.language_model()->options().vocab_size, 19);
  EXPECT_EQ(model.language_model()->options().transformer.max_length, 6);
  EXPECT_EQ(model.token_of_class(2), 18);
  for (const auto& parameter : model.named_parameters()) {
    EXPECT_EQ(parameter.value().requires_grad(), parameter.key() != "codebook") << parameter.key();
  }
}

TEST(ImageGenerator, RefusesWhatDoesNotFit) {
  ImageGeneratorOptions o = small_generator();
  o.patch_size = 1;
  EXPECT_THROW(ImageGenerator{o}, UsageError);  // 16 codes for 2 levels
  o.codebook_size = 2;
  EXPECT_NO_THROW(ImageGenerator{o});
  o.image_height = o.image_width = 300;
  EXPECT_THROW(ImageGenerator{o}, UsageError);
  o = small_generator();
  o.num_channels = 3;
  o.patch_size = 10;  // 300 values
  EXPECT_THROW(ImageGenerator{o}, UsageError);
  o = small_generator();
  o.levels = 1;
  EXPECT_THROW(ImageGenerator{o}, UsageError);
  ImageGenerator model(small_generator());
  const at::Tensor classes = at::zeros({2}, at::kLong);
  EXPECT_THROW(model.forward(classes, at::zeros({2, 5}, at::kLong)), UsageError);
  EXPECT_THROW(model.forward(classes, at::zeros({1, 6}, at::kLong)), UsageError);
  EXPECT_THROW(model.set_codebook(std::vector<uint8_t>(63)), UsageError);
}

TEST(ImageGeneratorFiles, AModelIsFoundAgain) {
  at::manual_seed(2);
  const test::Folder folder;
  const TrainedImageGenerator saved{.model = spread_generator(small_generator()),
                                    .labels = {"a", "b", "c"}};
  save(saved, folder / "model");
  const TrainedImageGenerator found = load_image_generator(folder / "model");
  const at::Tensor classes = at::tensor({1}).to(at::kLong);
  const at::Tensor codes = at::randint(16, {1, 6}, at::kLong);
  EXPECT_TRUE(
      at::equal(found.model->forward(classes, codes), saved.model->forward(classes, codes)));
  EXPECT_EQ(found.labels, saved.labels);
  EXPECT_TRUE(found.model->codes().is_exact());
  const std::vector<int64_t> written = {0, 1, 2, 4, 8, 15};
  EXPECT_EQ(found.model->codes().decode(written), saved.model->codes().decode(written));
  for (const auto& [from, to] : {std::pair("\"num_classes\": 3", "\"num_classes\": 4"),
                                 std::pair("\"num_channels\": 1", "\"num_channels\": 3"),
                                 std::pair("\"image_height\": 4", "\"image_height\": 100"),
                                 std::pair("\"codebook_size\": 16", "\"codebook_size\": 32"),
                                 std::pair("\"patch_size\": 2", "\"patch_size\": 3")}) {
    save(saved, folder / "model");
    replace_in_config(folder / "model", from, to);
    EXPECT_THROW(load_image_generator(folder / "model"), DataError) << from;
  }
}

// Weights that are no codebook are refused before a picture is made of them.
TEST(ImageGeneratorFiles, ACodebookIsOfPixels) {
  const test::Folder folder;
  TrainedImageGenerator saved{.model = spread_generator(small_generator()),
                              .labels = {"a", "b", "c"}};
  {
    const c10::AutoGradMode no_gradients(false);
    saved.model->named_parameters()["codebook"].fill_(2);
  }
  save(saved, folder / "model");
  EXPECT_THROW(load_image_generator(folder / "model"), DataError);
}

}  // namespace
}  // namespace heed::models
