#include "heed/tasks/image/image_generation.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// 4 × 4 pixels: of class "left" the left half is bright, of "right" the right one; a corner is
// bright in every other picture.
data::ImageData halves(int count) {
  data::ImageData data{.files = {"halves"},
                       .height = 4,
                       .width = 4,
                       .channels = 1,
                       .pixels = {},
                       .labels = {"left", "right"},
                       .classes = {},
                       .names = {}};
  for (int i = 0; i < count; ++i) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 4; ++x) {
        const bool corner = i / 2 % 2 == 1 && y == 3 && x == (i % 2 == 0 ? 3 : 0);
        data.pixels.push_back((x < 2) == (i % 2 == 0) || corner ? 255 : 0);
      }
    }
    data.classes.push_back(i % 2);
    data.names.push_back(text_of("half ", i));
  }
  return data;
}

models::ImageGeneratorOptions small_image_generation(int64_t patch_size, int64_t levels) {
  models::ImageGeneratorOptions options{.patch_size = patch_size, .levels = levels};
  options.transformer.d_model = 32;
  options.transformer.num_heads = 2;
  options.transformer.num_layers = 1;
  options.transformer.d_ff = 64;
  return options;
}

std::vector<int64_t> images_up_to(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// All logits 0.
void make_uniform(const models::TrainedImageGenerator& trained) {
  const c10::AutoGradMode no_gradients(false);
  for (at::Tensor& parameter : trained.model->language_model()->parameters()) parameter.zero_();
  trained.model->eval();
}

TEST(ImageGeneration, AUniformModelNeedsTheBitsOfALevel) {
  const data::ImageData data = halves(6);
  for (const int64_t levels : {2, 4, 256}) {
    ImageGeneration task(data, data, small_image_generation(1, levels));
    make_uniform(task.trained());
    const Metrics metrics = task.validate({});
    expect_all(ImageGeneration::watchable(), metrics);
    EXPECT_FALSE(task.watched("bits_per_dim").higher_is_better);
    const double bits = std::log2(static_cast<double>(levels));
    EXPECT_NEAR(metric(metrics, "bits_per_dim"), bits, 1e-5);
    EXPECT_NEAR(metric(metrics, "loss"), bits * std::log(2.0), 1e-5);
    EXPECT_NEAR(metric(metrics, "nats_per_image"), 16 * bits * std::log(2.0), 1e-4);
    EXPECT_EQ(metric(metrics, "examples"), 6);
    EXPECT_NEAR(task.loss(*task.prepare(images_up_to(6))).value.item<double>(),
                bits * std::log(2.0), 1e-5);
  }
  // 16 codes for 4 pixels: a bit a pixel.
  ImageGeneration task(data, data, small_image_generation(2, 2));
  make_uniform(task.trained());
  EXPECT_NEAR(metric(task.validate({}), "bits_per_dim"), 1, 1e-5);
}

TEST(ImageGeneration, LearnsToWriteWhatItsClassShows) {
  at::manual_seed(1);
  const data::ImageData data = halves(8);
  ImageGeneration task(data, data, small_image_generation(2, 2));
  EXPECT_EQ(task.train_lengths(), std::vector<int64_t>(8, 4));
  task.module().train();
  learn(task, images_up_to(8), 200);
  // One bit a picture of 16 pixels is drawn: whether there is a corner.
  const double bits = metric(task.validate({}), "bits_per_dim");
  EXPECT_LT(bits, 0.15);
  EXPECT_GE(bits, 1.0 / 16 - 1e-6);
  for (const auto& [name, value] :
       generation_baselines(task.trained().model->options(), task.train(), task.valid())) {
    EXPECT_GT(value, bits) << name;
  }
  for (const int64_t label : {0, 1}) {
    const std::vector<data::Image> images =
        sampled_images(task.trained(), label, {.sampling = {.temperature = 0.3}, .count = 40});
    ASSERT_EQ(images.size(), 40u);
    int corners = 0;
    for (const data::Image& image : images) {
      EXPECT_EQ(image.pixels[static_cast<size_t>(2 * label)], 255);
      EXPECT_EQ(image.pixels[static_cast<size_t>(2 - 2 * label)], 0);
      corners += image.pixels[label == 0 ? 15 : 12] == 255;
    }
    EXPECT_GT(corners, 5);
    EXPECT_LT(corners, 35);
  }
}

TEST(ImageGeneration, TheCachedDecoderWritesWhatTheModelSays) {
  at::manual_seed(2);
  const data::ImageData data = halves(8);
  ImageGeneration task(data, data, small_image_generation(2, 2));
  learn(task, images_up_to(8), 30);
  const models::ImageGenerator& model = *task.trained().model;
  std::vector<int64_t> codes(4);
  for (size_t place = 0; place < 4; ++place) {
    const at::Tensor logits =
        model.forward(at::ones({1}, at::kLong), at::tensor(codes, at::kLong).unsqueeze(0));
    codes[place] = logits[0][static_cast<int64_t>(place)].argmax().item<int64_t>();
  }
  const auto images = sampled_images(task.trained(), 1, {.sampling = {.temperature = 0}});
  EXPECT_EQ(images[0].pixels, model.codes().decode(codes));
}

TEST(ImageGeneration, ASeedGivesTheSamePictures) {
  at::manual_seed(3);
  const data::ImageData data = halves(8);
  ImageGeneration task(data, data, small_image_generation(1, 4));
  task.module().eval();
  const auto pixels_of = [&](int64_t label, uint64_t seed) {
    std::vector<uint8_t> all;
    for (const data::Image& image : sampled_images(
             task.trained(), label, {.sampling = {.seed = seed}, .count = 35})) {  // two groups
      all.insert(all.end(), image.pixels.begin(), image.pixels.end());
    }
    return all;
  };
  const std::vector<uint8_t> first = pixels_of(0, 1);
  EXPECT_EQ(first.size(), 35u * 16);
  EXPECT_EQ(pixels_of(0, 1), first);
  EXPECT_NE(pixels_of(0, 2), first);
  EXPECT_NE(pixels_of(1, 1), first);
  // A sample of the second group is none of the first.
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 16, first.begin() + 32 * 16));
}

TEST(ImageGeneration, CountsWhatQuantisationLoses) {
  const data::ImageData data = halves(4);
  EXPECT_EQ(
      quantization_error(ImageGeneration(data, data, small_image_generation(2, 2)).trained(), data),
      0);
  data::ImageData grey = data;
  for (uint8_t& value : grey.pixels) value = value == 255 ? 250 : 0;  // half of them 5 away
  EXPECT_NEAR(
      quantization_error(ImageGeneration(grey, grey, small_image_generation(1, 2)).trained(), grey),
      5 * std::sqrt(0.53125), 0.2);
}

TEST(ImageGeneration, BaselinesAreCounts) {
  // Every picture is the same: what was seen always is nearly certain.
  data::ImageData same = halves(1);
  const std::vector<uint8_t> picture = same.pixels;
  for (int i = 1; i < 50; ++i) {
    same.pixels.insert(same.pixels.end(), picture.begin(), picture.end());
    same.classes.push_back(0);
    same.names.push_back(text_of("half ", i));
  }
  const ImageGeneration task(same, same, small_image_generation(1, 2));
  const auto found =
      generation_baselines(task.trained().model->options(), task.train(), task.valid());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].first, "place");
  EXPECT_NEAR(found[0].second, -std::log2(50.5 / 51), 1e-9);
  EXPECT_NEAR(found[1].second, found[0].second, 1e-9);
  // 255 255 0 0 and again: half of the codes are as the one before.
  EXPECT_NEAR(found[2].second, 1, 0.1);
}

TEST(ImageGeneration, RefusesPicturesOfAnotherSize) {
  const data::ImageData data = halves(4);
  const ImageGeneration task(data, data, small_image_generation(2, 2));
  data::ImageData other = data;
  other.height = 2;
  other.width = 8;
  EXPECT_THROW(coded(task.trained(), other), UsageError);
  EXPECT_THROW(sampled_images(task.trained(), 2, {}), UsageError);
  EXPECT_THROW(sampled_images(task.trained(), 0, {.sampling = {.repetition_penalty = 2}}),
               UsageError);
  EXPECT_THROW(ImageGeneration(data, data, small_image_generation(17, 256)), UsageError);
}

}  // namespace
}  // namespace heed::tasks
