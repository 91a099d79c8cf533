#include "heed/tasks/image/object_detection.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Bright bars, one level and one upright, at places of their own; every fourth is missing.
data::ObjectData bar_scenes(int64_t count) {
  data::ObjectData data;
  data.pictures = {.files = {"bars"},
                   .height = 16,
                   .width = 16,
                   .channels = 1,
                   .pixels = {},
                   .labels = {},
                   .classes = {},
                   .names = {}};
  data.categories = {"level", "upright"};
  data.category_ids = {3, 7};
  data.pictures.pixels.assign(static_cast<size_t>(count * 256), 0);
  for (int64_t i = 0; i < count; ++i) {
    data.image_ids.push_back(100 + i);
    data.pictures.names.push_back(text_of("scene ", i));
    data.pictures.sizes.push_back({.height = 16, .width = 16});
    for (int64_t kind = 0; kind < 2; ++kind) {
      if ((i + kind) % 4 == 3) continue;
      const int64_t width = kind == 0 ? 6 : 3;
      const int64_t height = kind == 0 ? 2 : 4;
      const int64_t left = (1 + 3 * i) % 9;
      const int64_t top = 2 + 8 * kind;
      for (int64_t y = top; y < top + height; ++y) {
        for (int64_t x = left; x < left + width; ++x) {
          data.pictures.pixels[static_cast<size_t>(i * 256 + y * 16 + x)] = 255;
        }
      }
      data.objects.push_back({.image = i,
                              .category = kind,
                              .x = static_cast<double>(left),
                              .y = static_cast<double>(top),
                              .width = static_cast<double>(width),
                              .height = static_cast<double>(height),
                              .area = static_cast<double>(width * height)});
    }
  }
  return data;
}

ObjectDetectionOptions small_detection() {
  ObjectDetectionOptions options;
  options.model.patch_size = 4;
  options.model.num_queries = 4;
  options.model.num_decoder_layers = 2;
  options.model.transformer.d_model = 32;
  options.model.transformer.num_heads = 2;
  options.model.transformer.num_layers = 1;
  options.model.transformer.d_ff = 64;
  options.augmentation = {.max_shift = 0, .max_rotation = 0, .max_scale = 0};
  return options;
}

// Steps on all examples by Adam (Kingma and Ba 2015); plain descent takes many times as many.
void learn_all(ObjectDetection& task, int steps) {
  std::vector<int64_t> examples;
  for (int64_t i = 0; i < task.train().count(); ++i) examples.push_back(i);
  std::vector<at::Tensor> means, squares;
  for (int step = 1; step <= steps; ++step) {
    task.module().zero_grad();
    task.loss(*task.prepare(examples)).value.backward();
    const c10::AutoGradMode no_gradients(false);
    size_t i = 0;
    for (at::Tensor& p : task.module().parameters()) {
      if (!p.grad().defined()) continue;
      if (means.size() == i) {
        means.push_back(at::zeros_like(p));
        squares.push_back(at::zeros_like(p));
      }
      means[i].mul_(0.9).add_(p.grad(), 0.1);
      squares[i].mul_(0.99).addcmul_(p.grad(), p.grad(), 0.01);
      const at::Tensor mean = means[i] / (1 - std::pow(0.9, step));
      const at::Tensor square = squares[i] / (1 - std::pow(0.99, step));
      p.sub_(0.003 * mean / (square.sqrt() + 1e-8));
      ++i;
    }
  }
  task.module().eval();
}

TEST(ObjectDetection, FindsTheObjectsOfAFewScenes) {
  at::manual_seed(1);
  const data::ObjectData scenes = bar_scenes(4);
  ObjectDetection task(scenes, scenes, small_detection());
  EXPECT_EQ(task.train_lengths()[0], 16 + 4);
  const double before = metric(task.validate({}), "loss");
  learn_all(task, 150);
  const Metrics metrics = task.validate({});
  expect_all(ObjectDetection::watchable(), metrics);
  EXPECT_LT(metric(metrics, "loss"), before / 5);
  EXPECT_GT(metric(metrics, "ap50"), 0.9);
  EXPECT_GT(metric(metrics, "ap"), 0.5);
  EXPECT_EQ(metric(metrics, "examples"), 4);
  EXPECT_THROW(metric(metrics, "ap_large"), UsageError);  // there are none
  // The surest object of the first scene is one of its two, in pixels.
  const auto found = found_objects(task.trained(), scenes.pictures);
  ASSERT_EQ(found.size(), 16u);
  EXPECT_EQ(found[0].image, 0);
  EXPECT_GE(found[0].score, found[1].score);
  const auto& real = scenes.objects[static_cast<size_t>(found[0].category)];
  EXPECT_GT(metrics::overlap(found[0].box, {real.x, real.y, real.width, real.height}), 0.5);
}

TEST(ObjectDetection, BoxesAreThoseOfThePicturesFiles) {
  at::manual_seed(2);
  data::ObjectData scenes = bar_scenes(2);
  const ObjectDetection task(scenes, scenes, small_detection());
  const auto small = found_objects(task.trained(), scenes.pictures);
  for (data::ImageSize& size : scenes.pictures.sizes) size = {.height = 32, .width = 160};
  const auto large = found_objects(task.trained(), scenes.pictures);
  ASSERT_EQ(small.size(), large.size());
  for (size_t i = 0; i < small.size(); ++i) {
    EXPECT_NEAR(large[i].box.x, 10 * small[i].box.x, 1e-3);
    EXPECT_NEAR(large[i].box.height, 2 * small[i].box.height, 1e-3);
  }
}

TEST(ObjectDetection, CrowdsAreNotLearned) {
  data::ObjectData scenes = bar_scenes(2);
  scenes.objects[0].crowd = true;
  const std::vector<RealBoxes> real = real_boxes(scenes);
  ASSERT_EQ(real.size(), 2u);
  ASSERT_EQ(real[0].classes.numel(), 1);
  EXPECT_EQ(real[0].classes[0].item<int64_t>(), 1);
  // Left 1, top 10, 3 × 4 of 16 × 16.
  EXPECT_TRUE(
      at::allclose(real[0].boxes[0], at::tensor({2.5F / 16, 12.0F / 16, 3.0F / 16, 4.0F / 16})));
}

TEST(ObjectDetection, LayersBeforeTheLastCountIfWanted) {
  at::manual_seed(3);
  const data::ObjectData scenes = bar_scenes(2);
  ObjectDetectionOptions options = small_detection();
  ObjectDetection with(scenes, scenes, options);
  at::manual_seed(3);
  options.auxiliary_loss = false;
  ObjectDetection without(scenes, scenes, options);
  EXPECT_GT(metric(with.validate({}), "loss"), metric(without.validate({}), "loss") + 0.1);
}

TEST(ObjectDetection, MovedScenesKeepTheirObjects) {
  at::manual_seed(4);
  const data::ObjectData scenes = bar_scenes(4);
  ObjectDetectionOptions options = small_detection();
  options.augmentation = {.max_shift = 2, .max_rotation = 10, .max_scale = 0.1, .flip = true};
  ObjectDetection task(scenes, scenes, options);
  const auto batch = task.prepare({0, 1, 2, 3});
  for (int drawn = 0; drawn < 3; ++drawn) {
    EXPECT_TRUE(std::isfinite(task.loss(*batch).value.item<double>()));
  }
  EXPECT_EQ(task.loss(*batch).weight, 4);
}

TEST(ObjectDetection, NeedsObjects) {
  const data::ObjectData scenes = bar_scenes(2);
  data::ObjectData none = scenes;
  for (data::LabeledObject& object : none.objects) object.crowd = true;
  EXPECT_THROW(ObjectDetection(none, scenes, small_detection()), DataError);
  EXPECT_THROW(ObjectDetection(scenes, none, small_detection()), DataError);
  ObjectDetectionOptions many = small_detection();
  many.model.num_queries = 17;  // of 16 patches
  EXPECT_THROW(ObjectDetection(scenes, scenes, many), UsageError);
}

}  // namespace
}  // namespace heed::tasks
