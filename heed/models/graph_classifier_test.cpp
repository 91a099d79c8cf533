#include "heed/models/graph_classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/models/testing/test_models.h"
#include "heed/nn/attention/attention_recorder.h"

namespace heed::models {
namespace {

GraphClassifierOptions small_graph_classifier(const std::string& score = "gat") {
  return {.num_features = 6,
          .num_classes = 3,
          .d_model = 8,
          .num_heads = 2,
          .score = score,
          .dropout = 0.3,
          .attention_dropout = 0.3};
}

// A chain of four nodes, each with one feature, hearing itself and the one before it.
struct Chain {
  nn::SparseMatrix features{.offsets = at::arange(5, at::kLong),
                            .columns = at::arange(4, at::kLong),
                            .values = at::ones({4})};
  Pattern edges = Pattern::graph({.offsets = at::tensor({0, 1, 3, 5, 7}, at::kLong),
                                  .columns = at::tensor({0, 0, 1, 1, 2, 2, 3}, at::kLong)});
};

TEST(GraphClassifier, HearsAsFarAsItHasLayers) {
  for (const char* score : {"gat", "gatv2", "scaled_dot", "additive"}) {
    at::manual_seed(1);
    GraphClassifier model(small_graph_classifier(score));
    model.eval();
    Chain chain;
    const at::Tensor before = model.forward(chain.features, chain.edges);
    ASSERT_EQ(before.sizes(), at::IntArrayRef({4, 3}));
    chain.features.values[0] = 5;
    const at::Tensor change = (model.forward(chain.features, chain.edges) - before).abs().sum(1);
    EXPECT_GT(change[2].item<float>(), 0) << score;
    EXPECT_EQ(change[3].item<float>(), 0) << score;
  }
}

TEST(GraphClassifier, RecordsTheWeightsOfEdges) {
  at::manual_seed(2);
  GraphClassifier model(small_graph_classifier());
  model.eval();
  const Chain chain;
  const nn::AttentionRecorder recorder;
  model.forward(chain.features, chain.edges);
  ASSERT_EQ(recorder.self.size(), 2U);
  const auto weights = [&](size_t layer) {  // (N, N), the mean over the heads
    const AttendedTokens& call = recorder.self[layer].tokens;
    return attention_weights(call.query, call.key, call.options).mean(1)[0];
  };
  ASSERT_EQ(weights(0).sizes(), at::IntArrayRef({4, 4}));
  EXPECT_NEAR(weights(0)[0][0].item<float>(), 1, 1e-6);
  EXPECT_NEAR(weights(1)[3].sum().item<float>(), 1, 1e-6);
  EXPECT_EQ(weights(1)[3][0].item<float>(), 0);
}

TEST(GraphClassifier, DropsInTrainingAlone) {
  at::manual_seed(3);
  GraphClassifier model(small_graph_classifier());
  const Chain chain;
  const auto run = [&] { return model.forward(chain.features, chain.edges); };
  EXPECT_GT(distance(run(), run()), 0);
  model.eval();
  EXPECT_EQ(distance(run(), run()), 0);
}

TEST(GraphClassifier, OptionsThatCannotBeAreRefused) {
  GraphClassifierOptions options = small_graph_classifier();
  options.num_heads = 3;
  EXPECT_THROW(check(options), UsageError);
  options = small_graph_classifier("other");
  EXPECT_THROW(GraphClassifier{options}, UsageError);
  EXPECT_THROW(check(GraphClassifierOptions{}), UsageError);
}

TEST(GraphClassifierFiles, ComeBackAsTheyWere) {
  at::manual_seed(4);
  const test::Folder folder;
  GraphClassifierOptions options = small_graph_classifier("gatv2");
  options.directed = true;
  const TrainedGraphClassifier trained{
      .model = std::make_shared<GraphClassifier>(options),
      .labels = {"a", "b", "c"},
      .features = {{.name = "words", .words = {"x", "y", "z", "w", "v"}},
                   {.name = "year", .mean = 2000.5, .deviation = 3}}};
  trained.model->eval();
  save(trained, folder / "model");
  const TrainedGraphClassifier loaded = load_graph_classifier(folder / "model");
  EXPECT_EQ(loaded.labels, trained.labels);
  EXPECT_EQ(loaded.features[0].words, trained.features[0].words);
  EXPECT_EQ(loaded.features[1].mean, 2000.5);
  EXPECT_TRUE(loaded.model->options().directed);
  const Chain chain;
  EXPECT_TRUE(at::equal(loaded.model->forward(chain.features, chain.edges),
                        trained.model->forward(chain.features, chain.edges)));
  replace_in_config(folder / "model", "\"num_features\": 6", "\"num_features\": 7");
  EXPECT_THAT(test::message_of<DataError>([&] { load_graph_classifier(folder / "model"); }),
              ::testing::HasSubstr("num_features"));
}

}  // namespace
}  // namespace heed::models
