#include "heed/tasks/image/image_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// A bright bar, upright or level, somewhere.
data::ImageData bars(int count) {
  data::ImageData data{.files = {"bars"},
                       .height = 8,
                       .width = 8,
                       .channels = 1,
                       .pixels = {},
                       .labels = {"level", "upright"},
                       .classes = {},
                       .names = {}};
  for (int i = 0; i < count; ++i) {
    const int place = i / 2 % 8;
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        data.pixels.push_back((i % 2 == 0 ? y : x) == place ? 255 : (i * 7 + y * 3 + x) % 40);
      }
    }
    data.classes.push_back(i % 2);
    data.names.push_back(text_of("bar ", i));
  }
  return data;
}

ImageClassificationOptions small_image_classification() {
  ImageClassificationOptions options;
  options.model.patch_size = 2;
  options.model.transformer.d_model = 16;
  options.model.transformer.num_heads = 2;
  options.model.transformer.num_layers = 1;
  options.model.transformer.d_ff = 32;
  options.model.transformer.dropout = 0;
  options.model.transformer.attention_dropout = 0;
  options.augmentation = {.max_shift = 1, .max_rotation = 5, .max_scale = 0.05};
  return options;
}

std::vector<int64_t> pictures_up_to(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(ImageClassification, LearnsWhatAPictureShows) {
  at::manual_seed(1);
  const data::ImageData data = bars(32);
  ImageClassification task(data, data, small_image_classification());
  EXPECT_EQ(task.train_lengths()[0], 17);
  learn(task, pictures_up_to(32), 120);
  const Metrics metrics = task.validate({});
  expect_all(ImageClassification::watchable(), metrics);
  EXPECT_GT(metric(metrics, "accuracy"), 0.95);
  EXPECT_EQ(metric(metrics, "examples"), 32);
  const auto baselines = image_baselines(task.trained(), data, data);
  ASSERT_EQ(baselines.size(), 2u);
  EXPECT_EQ(baselines[0].second, 0.5);
}

TEST(ImageClassification, BalancedClassesHaveTheSameWeightTogether) {
  at::manual_seed(1);
  data::ImageData data = bars(8);
  data.classes = {0, 1, 0, 0, 0, 1, 0, 0};
  ImageClassificationOptions options = small_image_classification();
  options.augmentation = {.max_shift = 0, .max_rotation = 0, .max_scale = 0};
  options.class_weight = "balanced";
  ImageClassification task(data, data, options);
  expect_balanced(task, {data.classes.begin(), data.classes.end()});
}

TEST(ImageClassification, PixelsAreStandardised) {
  at::manual_seed(2);
  data::ImageData data = bars(16);
  ImageClassification task(data, data, small_image_classification());
  const at::Tensor batch = image_batch(task.trained(), data, pictures_up_to(16));
  EXPECT_NEAR(batch.mean().item<double>(), 0, 1e-5);
  EXPECT_NEAR(batch.std(false).item<double>(), 1, 1e-5);
  EXPECT_EQ(batch.sizes(), at::IntArrayRef({16, 1, 8, 8}));
  // A row of the picture is a row of the batch.
  EXPECT_GT(batch[0][0][0].min().item<double>(), batch[0][0][1].max().item<double>());
  data.width = 4;
  EXPECT_THROW(image_batch(task.trained(), data, {0}), UsageError);
}

TEST(ImageClassification, NeedsTwoClasses) {
  data::ImageData data = bars(4);
  data.labels = {"one"};
  data.classes.assign(4, 0);
  EXPECT_THROW(ImageClassification(data, data, small_image_classification()), DataError);
}

TEST(ImageClassification, ColoursStandBesideEachOther) {
  data::ImageData data{.files = {"x"},
                       .height = 1,
                       .width = 2,
                       .channels = 3,
                       .pixels = {255, 0, 0, 0, 255, 0},
                       .labels = {"a", "b"},
                       .classes = {0},
                       .names = {"x"}};
  ImageClassificationOptions options = small_image_classification();
  const ImageClassification task(data, data, options);
  const at::Tensor batch = image_batch(task.trained(), data, {0})[0];  // (3, 1, 2)
  EXPECT_GT(batch[0][0][0].item<float>(), batch[0][0][1].item<float>());
  EXPECT_LT(batch[1][0][0].item<float>(), batch[1][0][1].item<float>());
  EXPECT_EQ(batch[2][0][0].item<float>(), batch[2][0][1].item<float>());
}

TEST(Augmentation, NothingAskedForChangesNothing) {
  const at::Tensor images = at::randn({3, 1, 6, 8});
  const AugmentationOptions none{.max_shift = 0, .max_rotation = 0, .max_scale = 0};
  EXPECT_TRUE(at::equal(augmented(images, none), images));
}

TEST(Augmentation, PicturesMoveByPixels) {
  at::manual_seed(3);
  at::Tensor images = at::zeros({200, 1, 9, 13});
  images.select(2, 4).select(2, 6).fill_(1);
  const at::Tensor moved =
      augmented(images, {.max_shift = 2, .max_rotation = 0, .max_scale = 0}).squeeze(1);
  EXPECT_NEAR(moved.sum().item<double>(), 200, 1);
  const at::Tensor y = (moved.sum(2) * at::arange(9)).sum(1);
  const at::Tensor x = (moved.sum(1) * at::arange(13)).sum(1);
  EXPECT_NEAR(y.max().item<double>(), 6, 0.2);
  EXPECT_NEAR(y.min().item<double>(), 2, 0.2);
  EXPECT_NEAR(x.max().item<double>(), 8, 0.2);
  EXPECT_NEAR(x.min().item<double>(), 4, 0.2);
}

TEST(Augmentation, TurningKeepsShapesOfPicturesThatAreNotSquare) {
  at::manual_seed(4);
  at::Tensor images = at::zeros({1, 1, 21, 41});
  images.select(3, 20).narrow(2, 5, 11).fill_(1);  // an upright bar of 11
  images = images.expand({100, 1, 21, 41});
  const at::Tensor turned =
      augmented(images, {.max_shift = 0, .max_rotation = 90, .max_scale = 0}).squeeze(1);
  // Whatever the angle, nothing leaves the circle that the bar turns in.
  const at::Tensor y = (at::arange(21) - 10).unsqueeze(1), x = (at::arange(41) - 20).unsqueeze(0);
  const at::Tensor beyond = (y * y + x * x) > 7 * 7;
  EXPECT_LT((turned * beyond).abs().max().item<double>(), 1e-4);
  EXPECT_GT(turned.select(1, 10).sum(1).max().item<double>(), 5);  // some lie level
}

TEST(Augmentation, FlippingMirrorsAboutHalf) {
  at::manual_seed(5);
  const at::Tensor images = at::arange(4, at::kFloat).expand({400, 1, 2, 4});
  const at::Tensor flipped =
      augmented(images, {.max_shift = 0, .max_rotation = 0, .max_scale = 0, .flip = true});
  const double mirrored = flipped.select(3, 0).select(2, 0).gt(2.5).sum().item<double>();
  EXPECT_NEAR(mirrored, 200, 50);
  EXPECT_LT((flipped.sum(3) - 6).abs().max().item<double>(), 1e-4);
}

TEST(PatchRollout, FollowsWhatIsPassedOn) {
  // Two heads; the reader hears patch 1 alone, which before heard patch 4 alone.
  at::Tensor first = at::eye(5).repeat({2, 1, 1});
  for (int head = 0; head < 2; ++head) {
    first[head][1].zero_();
    first[head][1][4] = 1;
  }
  at::Tensor second = at::eye(5).repeat({2, 1, 1});
  for (int head = 0; head < 2; ++head) {
    second[head][0].zero_();
    second[head][0][1] = 1;
  }
  const at::Tensor rollout = patch_rollout({first, second}, {.rows = 2, .columns = 2});
  EXPECT_NEAR(rollout.sum().item<double>(), 1, 1e-6);
  EXPECT_NEAR(rollout[0][0].item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(rollout[1][1].item<double>(), 0.5, 1e-6);
}

}  // namespace
}  // namespace heed::tasks
