#include "heed/models/recommender.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/recommender_files.h"
#include "heed/models/testing/test_models.h"

namespace heed::models {
namespace {

RecommenderOptions small_recommender() {
  RecommenderOptions options{.num_items = 12};
  options.transformer = small_transformer({.positions = "learned"});
  options.transformer.max_length = 6;
  return options;
}

at::Tensor ids(std::vector<int64_t> items) { return at::tensor(items).unsqueeze(0); }

TEST(Recommender, ScoresEveryItem) {
  at::manual_seed(1);
  Recommender model(small_recommender());
  model.eval();
  nn::AttentionTrace trace;
  const TextBatch batch{.ids = at::tensor({3, 4, 5, 7, 0, 0}, at::kLong).reshape({2, 3}),
                        .lengths = at::tensor({3, 1}, at::kLong)};
  const at::Tensor scores = model.next(batch, &trace);
  EXPECT_EQ(scores.sizes(), at::IntArrayRef({2, 12}));
  EXPECT_EQ(trace.weights.size(), 2u);
  // Padding changes nothing.
  EXPECT_LT(distance(scores[1], model.next({.ids = ids({7})})[0]), 1e-5);
}

TEST(Recommender, AnItemDoesNotSeeThoseBehindIt) {
  at::manual_seed(2);
  Recommender model(small_recommender());
  spread_parameters(model);
  model.eval();
  const auto states = [&](const at::Tensor& items) {
    return model.states(model.vectors(items), {})[0];
  };
  const at::Tensor one = states(ids({1, 2, 3, 4}));
  const at::Tensor other = states(ids({1, 2, 9, 4}));
  EXPECT_LT(distance(one.narrow(0, 0, 2), other.narrow(0, 0, 2)), 1e-6);
  EXPECT_GT(distance(one[3], other[3]), 1e-3);
}

TEST(Recommender, TheOrderCounts) {
  at::manual_seed(3);
  Recommender model(small_recommender());
  spread_parameters(model);
  model.eval();
  EXPECT_GT(distance(model.next({.ids = ids({1, 2, 3})}), model.next({.ids = ids({2, 1, 3})})),
            1e-3);
}

TEST(Recommender, LongHistoriesAreRefused) {
  Recommender model(small_recommender());
  EXPECT_THROW(model.next({.ids = ids({1, 2, 3, 4, 5, 6, 7})}), UsageError);
  EXPECT_THROW(check(RecommenderOptions{}), UsageError);  // without items
}

class RecommenderFiles : public ::testing::Test {
 protected:
  RecommenderFiles() {
    at::manual_seed(4);
    trained_.model = std::make_shared<Recommender>(small_recommender());
    trained_.model->eval();
    for (int i = 0; i < 12; ++i) trained_.items.push_back(text_of("item ", i));
    trained_.names.resize(12);
    trained_.names[3] = "Three, at last";
    trained_.counts.assign(12, 5);
    trained_.users = {"anna", "bo"};
    trained_.histories = {{1, 2, 11}, {}};
    save(trained_, folder_ / "model");
  }

  void replace_file(const char* name, const std::string& text) {
    test::spill(folder_ / "model" / name, text);
  }

  test::Folder folder_;
  TrainedRecommender trained_;
};

TEST_F(RecommenderFiles, ComeBackAsTheyWere) {
  const TrainedRecommender loaded = load_recommender(folder_ / "model");
  EXPECT_EQ(loaded.items, trained_.items);
  EXPECT_EQ(loaded.names, trained_.names);
  EXPECT_EQ(loaded.counts, trained_.counts);
  EXPECT_EQ(loaded.users, trained_.users);
  EXPECT_EQ(loaded.histories, trained_.histories);
  const at::Tensor history = ids({1, 2, 11});
  EXPECT_TRUE(
      at::equal(loaded.model->next({.ids = history}), trained_.model->next({.ids = history})));
}

TEST_F(RecommenderFiles, AnItemThatIsNotThereIsNamed) {
  replace_file("histories.tsv", "anna\t1 2\nbo\t12\n");
  EXPECT_THAT(test::message_of<DataError>([&] { load_recommender(folder_ / "model"); }),
              ::testing::HasSubstr("histories.tsv:2"));
}

TEST_F(RecommenderFiles, ItemsThatAreMissingAreNamed) {
  replace_file("items.tsv", "a\t1\nb\t2\n");
  EXPECT_THAT(test::message_of<DataError>([&] { load_recommender(folder_ / "model"); }),
              ::testing::HasSubstr("expected 12 items"));
  replace_file("items.tsv", "a\tmany\n");
  EXPECT_THAT(test::message_of<DataError>([&] { load_recommender(folder_ / "model"); }),
              ::testing::HasSubstr("items.tsv:1"));
}

}  // namespace
}  // namespace heed::models
