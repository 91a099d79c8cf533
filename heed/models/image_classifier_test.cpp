#include "heed/models/image_classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/image_classifier_files.h"
#include "heed/models/testing/test_models.h"

namespace heed::models {
namespace {

ImageClassifierOptions small(const std::string& stem = "convolution") {
  ImageClassifierOptions o{.image_height = 10,
                           .image_width = 7,
                           .num_channels = 3,
                           .num_classes = 5,
                           .patch_size = 4,
                           .stem = stem};
  o.transformer = small_transformer({.positions = "learned"});
  return o;
}

TEST(ImageClassifier, PatchesCoverThePicture) {
  const PatchGrid grid = patch_grid(small());
  EXPECT_EQ(grid.rows, 3);
  EXPECT_EQ(grid.columns, 2);
  for (const char* stem : {"convolution", "linear"}) {
    at::manual_seed(1);
    ImageClassifier model(small(stem));
    spread_parameters(model);
    model.eval();
    const at::Tensor images = at::randn({2, 3, 10, 7});
    nn::AttentionTrace trace;
    const at::Tensor before = model.forward(images, &trace);
    ASSERT_EQ(before.sizes(), at::IntArrayRef({2, 5}));
    EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({2, 4, 7, 7}));
    at::Tensor changed = images.clone();
    changed[1][2][9][6] += 3;  // the last pixel
    const at::Tensor change = (model.forward(changed) - before).abs().sum(1);
    EXPECT_EQ(change[0].item<float>(), 0) << stem;
    EXPECT_GT(change[1].item<float>(), 1e-6) << stem;
  }
}

TEST(ImageClassifier, ALinearPatchIsItsPixels) {
  at::manual_seed(2);
  ImageClassifierOptions o = small("linear");
  o.patch_size = 3;
  o.image_height = o.image_width = 6;
  o.transformer.attention.positions = "none";
  ImageClassifier model(o);
  model.eval();
  // Patches are a set: those that change places change nothing.
  const at::Tensor images = at::randn({1, 3, 6, 6});
  at::Tensor moved = images.clone();
  moved.narrow(3, 0, 3).copy_(images.narrow(3, 3, 3));
  moved.narrow(3, 3, 3).copy_(images.narrow(3, 0, 3));
  EXPECT_LT(distance(model.forward(images), model.forward(moved)), 1e-5);
  EXPECT_GT(distance(model.forward(images), model.forward(images.flip(3))), 1e-4);
}

TEST(ImageClassifier, RefusesWhatDoesNotFit) {
  ImageClassifierOptions o = small();
  o.patch_size = 3;
  EXPECT_THROW(ImageClassifier{o}, UsageError);
  o = small();
  o.transformer.d_model = 33;
  o.transformer.num_heads = 3;
  EXPECT_THROW(ImageClassifier{o}, UsageError);
  o = small();
  o.image_height = o.image_width = 1 << 20;
  EXPECT_THROW(ImageClassifier{o}, UsageError);
  ImageClassifier model(small());
  EXPECT_THROW(model.forward(at::zeros({1, 1, 10, 7})), UsageError);
}

TEST(ImageClassifierFiles, AModelIsFoundAgain) {
  for (const char* stem : {"convolution", "linear"}) {
    at::manual_seed(3);
    const test::Folder folder;
    const TrainedImageClassifier saved{.model = std::make_shared<ImageClassifier>(small(stem)),
                                       .labels = {"a", "b", "c", "d", "e"},
                                       .pixel_means = {0.1, 0.2, 0.3},
                                       .pixel_deviations = {0.5, 0.25, 0.125}};
    saved.model->eval();
    save(saved, folder / "model");
    const TrainedImageClassifier found = load_image_classifier(folder / "model");
    const at::Tensor images = at::randn({2, 3, 10, 7});
    EXPECT_TRUE(at::equal(found.model->forward(images), saved.model->forward(images)));
    EXPECT_EQ(found.labels, saved.labels);
    EXPECT_EQ(found.pixel_means, saved.pixel_means);
    EXPECT_EQ(found.pixel_deviations, saved.pixel_deviations);
    for (const auto& [from, to] : {std::pair("\"num_classes\": 5", "\"num_classes\": 4"),
                                   std::pair("\"num_channels\": 3", "\"num_channels\": 1"),
                                   std::pair("\"image_height\": 10", "\"image_height\": 100"),
                                   std::pair("\"patch_size\": 4", "\"patch_size\": 8")}) {
      save(saved, folder / "model");
      replace_in_config(folder / "model", from, to);
      EXPECT_THROW(load_image_classifier(folder / "model"), DataError) << from;
    }
  }
}

}  // namespace
}  // namespace heed::models
