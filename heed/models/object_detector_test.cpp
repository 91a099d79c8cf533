#include "heed/models/object_detector.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/object_detector_files.h"
#include "heed/models/testing/test_models.h"

namespace heed::models {
namespace {

ObjectDetectorOptions small_detector(const std::string& stem = "convolution") {
  ObjectDetectorOptions o{.image_height = 10,
                          .image_width = 7,
                          .num_channels = 3,
                          .num_classes = 5,
                          .patch_size = 2,
                          .stem = stem,
                          .num_queries = 6,
                          .num_decoder_layers = 2};
  o.transformer = small_transformer({.positions = "sinusoidal"});
  return o;
}

TEST(ObjectDetector, EveryStageSaysClassesAndBoxes) {
  for (const char* stem : {"convolution", "linear"}) {
    for (const char* positions : {"sinusoidal", "learned", "none", "rotary"}) {
      at::manual_seed(1);
      ObjectDetectorOptions options = small_detector(stem);
      options.transformer.attention.positions = positions;
      const ObjectDetector model(options);
      nn::AttentionTrace trace;
      const auto found = model.forward(at::randn({2, 3, 10, 7}), &trace);
      ASSERT_EQ(found.size(), 3u);  // the patches, and two layers
      EXPECT_EQ(found[0].logits.sizes(), at::IntArrayRef({2, 20, 6}));
      EXPECT_EQ(found[0].boxes.sizes(), at::IntArrayRef({2, 20, 4}));
      EXPECT_EQ(found[2].logits.sizes(), at::IntArrayRef({2, 6, 6}));
      EXPECT_EQ(found[2].boxes.sizes(), at::IntArrayRef({2, 6, 4}));
      EXPECT_GT(found[2].boxes.min().item<double>(), 0);
      EXPECT_LT(found[2].boxes.max().item<double>(), 1);
      ASSERT_EQ(trace.cross_weights.size(), 2u);
      EXPECT_EQ(trace.cross_weights[0].sizes(), at::IntArrayRef({2, 4, 6, 20}));
      EXPECT_EQ(trace.weights.size(), 4u);
    }
  }
}

TEST(ObjectDetector, BoxesBeginAtThePatches) {
  at::manual_seed(2);
  const ObjectDetector model(small_detector());
  const FoundBoxes said = model.forward(at::randn({1, 3, 10, 7}))[0];
  // Patch (row 1, column 2) of 2 × 2 pixels.
  const at::Tensor box = said.boxes[0][4 + 2];
  EXPECT_NEAR(box[0].item<double>(), 5 / 7.0, 1e-5);
  EXPECT_NEAR(box[1].item<double>(), 3 / 10.0, 1e-5);
  EXPECT_NEAR(box[2].item<double>(), 0.2, 1e-5);
}

TEST(ObjectDetector, QueriesAreTheLikeliestPatchesAndRefineTheirBoxes) {
  at::manual_seed(3);
  const ObjectDetector model(small_detector());
  const auto found = model.forward(at::randn({1, 3, 10, 7}));
  const at::Tensor likely = at::softmax(found[0].logits[0], -1).narrow(-1, 0, 5).amax(-1);
  const at::Tensor chosen = std::get<1>(likely.topk(6));
  // No head has moved a box yet: those of the queries are those of the patches that were chosen.
  const at::Tensor first = found[0].boxes[0].index_select(0, chosen);
  EXPECT_LT((found[2].boxes[0] - first).abs().max().item<double>(), 1e-3);
}

TEST(ObjectDetector, GradientsReachEveryWeight) {
  at::manual_seed(4);
  ObjectDetector model(small_detector());
  spread_parameters(model);
  at::Tensor sum;
  for (const FoundBoxes& each : model.forward(at::randn({2, 3, 10, 7}))) {
    const at::Tensor part = each.logits.square().sum() + each.boxes.square().sum();
    sum = sum.defined() ? sum + part : part;
  }
  sum.backward();
  for (const auto& item : model.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
  }
}

// Patches stand beside each other; queries have no order that a part before attention could read.
TEST(ObjectDetector, PatchesAloneHaveAPartBeforeAttention) {
  ObjectDetectorOptions options = small_detector();
  options.transformer.before_attention = "gru";
  int64_t found = 0;
  for (const auto& item : ObjectDetector(options).named_parameters()) {
    if (item.key().find("before_attention") == std::string::npos) continue;
    ++found;
    EXPECT_EQ(item.key().find("encoder."), 0U) << item.key();
  }
  EXPECT_GT(found, 0);
}

TEST(ObjectDetector, SinesTellSharesApart) {
  const at::Tensor sines = sines_of_shares(at::arange(0, 1, 0.05), 16);
  EXPECT_EQ(sines.sizes(), at::IntArrayRef({20, 16}));
  const at::Tensor away = at::cdist(sines, sines) + 10 * at::eye(20);
  EXPECT_GT(away.min().item<double>(), 0.2);
}

TEST(ObjectDetector, ComesBackAsItWasSaved) {
  const test::Folder folder;
  at::manual_seed(5);
  const TrainedObjectDetector trained{.model = std::make_shared<ObjectDetector>(small_detector()),
                                      .labels = {"a", "b", "c", "d", "e"},
                                      .category_ids = {1, 2, 3, 5, 90},
                                      .pixel_means = {0.1, 0.2, 0.3},
                                      .pixel_deviations = {0.5, 0.6, 0.7}};
  spread_parameters(*trained.model);
  trained.model->eval();
  save(trained, folder / "model");
  const TrainedObjectDetector loaded = load_object_detector(folder / "model");
  EXPECT_EQ(loaded.labels, trained.labels);
  EXPECT_EQ(loaded.category_ids, trained.category_ids);
  EXPECT_EQ(loaded.pixel_means, trained.pixel_means);
  EXPECT_EQ(loaded.pixel_deviations, trained.pixel_deviations);
  EXPECT_FALSE(loaded.model->is_training());
  const at::Tensor images = at::randn({1, 3, 10, 7});
  EXPECT_TRUE(at::equal(loaded.model->forward(images).back().boxes,
                        trained.model->forward(images).back().boxes));
}

TEST(ObjectDetector, AConfigThatClaimsMoreIsRefused) {
  const test::Folder folder;
  const TrainedObjectDetector trained{.model = std::make_shared<ObjectDetector>(small_detector()),
                                      .labels = {"a", "b", "c", "d", "e"},
                                      .category_ids = {1, 2, 3, 4, 5},
                                      .pixel_means = {0, 0, 0},
                                      .pixel_deviations = {1, 1, 1}};
  save(trained, folder / "model");
  replace_in_config(folder / "model", "\"num_decoder_layers\": 2", "\"num_decoder_layers\": 9");
  EXPECT_THROW(load_object_detector(folder / "model"), DataError);
}

TEST(ObjectDetector, RefusesOptionsThatCannotBe) {
  ObjectDetectorOptions options = small_detector();
  options.num_queries = 21;  // of 20 patches
  EXPECT_THROW(check(options), UsageError);
  options = small_detector();
  options.transformer.d_model = 30;
  options.transformer.num_heads = 2;
  options.stem = "linear";
  EXPECT_THROW(check(options), UsageError);
  EXPECT_THROW(ObjectDetector(small_detector()).forward(at::zeros({1, 1, 10, 7})), UsageError);
}

}  // namespace
}  // namespace heed::models
