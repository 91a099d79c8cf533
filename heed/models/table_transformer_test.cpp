#include "heed/models/table_transformer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/files/table_transformer_files.h"
#include "heed/models/testing/test_models.h"

namespace heed::models {
namespace {

TableTransformerOptions small_table_transformer() {
  TableTransformerOptions o{.num_numbers = 2,
                            .num_categories = 1,
                            .num_category_vectors = 4,
                            .num_outputs = 3,
                            .num_bins = 2};
  o.transformer = small_transformer({.positions = "none"});
  return o;
}

TableBatch batch() {
  return {.numbers = at::randn({5, 2, 3}),
          .gaps = at::zeros({5, 2}),
          .categories = at::tensor({0, 1, 2, 3, 2}, at::kLong).unsqueeze(1)};
}

TEST(TableTransformer, ReadsEveryCell) {
  at::manual_seed(1);
  TableTransformer model(small_table_transformer());
  spread_parameters(model);
  model.eval();
  const TableBatch rows = batch();
  const at::Tensor before = model.forward(rows);
  ASSERT_EQ(before.sizes(), at::IntArrayRef({5, 3}));
  const auto changed = [&](const TableBatch& other) {
    return (model.forward(other) - before).abs().sum(1).gt(1e-5);
  };
  TableBatch other = rows;
  other.numbers = rows.numbers.clone();
  other.numbers[1][1][2] += 1;
  EXPECT_TRUE(at::equal(changed(other), at::tensor({0, 1, 0, 0, 0}).to(at::kBool)));
  other = rows;
  other.gaps = rows.gaps.clone();
  other.gaps[4][0] = 1;
  EXPECT_TRUE(at::equal(changed(other), at::tensor({0, 0, 0, 0, 1}).to(at::kBool)));
  other = rows;
  other.categories = rows.categories.clone();
  other.categories[0][0] = 3;
  EXPECT_TRUE(at::equal(changed(other), at::tensor({1, 0, 0, 0, 0}).to(at::kBool)));
}

TEST(TableTransformer, SharedVectorsStartAtTheMean) {
  at::manual_seed(2);
  TableTransformer model(small_table_transformer());
  model.eval();
  model.start_at_zero(at::tensor({1, 1, 0, 0}).to(at::kBool));
  TableBatch rows = batch();
  const at::Tensor gap = model.forward(rows)[0];
  rows.categories[0][0] = 1;
  EXPECT_LT(distance(model.forward(rows)[0], gap), 1e-6);
}

TEST(TableTransformer, ShowsAttentionAmongCells) {
  at::manual_seed(3);
  TableTransformer model(small_table_transformer());
  model.eval();
  nn::AttentionTrace trace;
  model.forward(batch(), &trace);
  ASSERT_EQ(trace.weights.size(), 2u);
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({5, 4, 4, 4}));
}

TEST(TableTransformer, NeedsColumnsWithoutOrder) {
  TableTransformerOptions o = small_table_transformer();
  o.num_numbers = o.num_categories = 0;
  EXPECT_THROW(TableTransformer{o}, UsageError);
  o = small_table_transformer();
  o.transformer.attention.positions = "learned";
  EXPECT_THROW(TableTransformer{o}, UsageError);
}

TrainedTable trained() {
  TrainedTable made{
      .columns = {{.name = "age",
                   .middle = 40,
                   .mean = 41.5,
                   .deviation = 12.25,
                   .values = {20, 40, 60},
                   .scores = {-1, 0, 1},
                   .bins = {20, 40, 60}},
                  {.name = "pay", .bins = {0, 1}},
                  {.name = "job", .is_category = true, .categories = {"clerk", "smith"}}},
      .target = "income",
      .labels = {"a", "b", "c"},
      .missing_values = {"?"}};
  made.model = std::make_shared<TableTransformer>(small_table_transformer());
  made.model->eval();
  return made;
}

TEST(TableTransformerFiles, AModelIsFoundAgain) {
  at::manual_seed(4);
  const test::Folder folder;
  const TrainedTable saved = trained();
  save(saved, folder / "model");
  const TrainedTable found = load_table_transformer(folder / "model");
  const TableBatch rows = batch();
  EXPECT_TRUE(at::equal(found.model->forward(rows), saved.model->forward(rows)));
  EXPECT_EQ(found.labels, saved.labels);
  EXPECT_EQ(found.missing_values, saved.missing_values);
  ASSERT_EQ(found.columns.size(), 3u);
  EXPECT_EQ(found.columns[0].scores, saved.columns[0].scores);
  EXPECT_EQ(found.columns[0].mean, 41.5);
  EXPECT_EQ(found.columns[2].categories, saved.columns[2].categories);
}

TEST(TableTransformerFiles, RegressionKeepsItsUnits) {
  const test::Folder folder;
  TrainedTable saved = trained();
  TableTransformerOptions o = small_table_transformer();
  o.num_outputs = 1;
  saved.model = std::make_shared<TableTransformer>(o);
  saved.labels = {};
  saved.target_mean = 100;
  saved.target_deviation = 7;
  save(saved, folder / "model");
  const TrainedTable found = load_table_transformer(folder / "model");
  EXPECT_TRUE(found.is_regression());
  EXPECT_EQ(found.target_mean, 100);
  EXPECT_EQ(found.target_deviation, 7);
}

TEST(TableTransformerFiles, WhatDoesNotFitIsRefused) {
  const std::pair<const char*, const char*> changes[] = {
      {"\"num_outputs\": 3", "\"num_outputs\": 2"},
      {"\"num_bins\": 2", "\"num_bins\": 1"},
      {"\"num_category_vectors\": 4", "\"num_category_vectors\": 5"},
      {"\"deviation\": 12.25", "\"deviation\": 0"},
      {"\"middle\": 40", "\"middle\": \"x\""},
      {"\"positions\": \"none\"", "\"positions\": \"learned\""},
      {"single_label_classification", "regression"}};
  for (const auto& [from, to] : changes) {
    const test::Folder folder;
    save(trained(), folder / "model");
    replace_in_config(folder / "model", from, to);
    EXPECT_THROW(load_table_transformer(folder / "model"), DataError) << from;
  }
}

}  // namespace
}  // namespace heed::models
