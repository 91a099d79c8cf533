#include "heed/tasks/table/table_learning.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/tasks/table/table_baselines.h"
#include "heed/tasks/table/table_importance.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// A number that tells the target, with gaps; a category that helps; a number that says nothing.
data::TableData table(int64_t rows, bool classes) {
  const double gap = std::nan("");
  data::TableData data{.files = {"t.csv"}};
  data.columns = {{.name = "x"}, {.name = "noise"}, {.name = "kind", .is_category = true}};
  data.columns[2].names = {"a", "b", "once"};
  data.target = data::TableColumn{.name = "y", .is_category = classes};
  if (classes) data.target->names = {"high", "low"};
  for (int64_t i = 0; i < rows; ++i) {
    const double x = std::sin(static_cast<double>(7 * i));
    const auto kind = static_cast<int32_t>(i % 2);
    const double y = 100 + 10 * x + 5 * kind;
    data.places.push_back({.file = 0, .line = i + 2});
    data.columns[0].numbers.push_back(i % 10 == 0 ? gap : x);
    data.columns[1].numbers.push_back(std::cos(static_cast<double>(5 * i * i)));
    data.columns[2].categories.push_back(i == 1 ? 2 : i % 7 == 0 ? -1 : kind);
    if (classes) {
      data.target->categories.push_back(y > 102.5 ? 0 : 1);
    } else {
      data.target->numbers.push_back(y);
    }
  }
  return data;
}

TableLearningOptions small_table_learning() {
  TableLearningOptions options;
  options.model.num_bins = 4;
  options.model.transformer.d_model = 16;
  options.model.transformer.num_heads = 2;
  options.model.transformer.num_layers = 1;
  options.model.transformer.d_ff = 32;
  options.model.transformer.dropout = 0;
  options.model.transformer.attention_dropout = 0;
  return options;
}

std::vector<int64_t> rows_up_to(int64_t count) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return rows;
}

TEST(TableLearning, TellsClasses) {
  at::manual_seed(1);
  const data::TableData data = table(100, true);
  TableLearning task(data, data, small_table_learning(), {"?"});
  EXPECT_EQ(task.train_lengths()[0], 4);
  learn(task, rows_up_to(100), 150);
  const Metrics metrics = task.validate({});
  EXPECT_GT(metric(metrics, "accuracy"), 0.9);
  EXPECT_EQ(metric(metrics, "examples"), 100);
  EXPECT_TRUE(task.watched("accuracy").higher_is_better);
  const auto baselines = table_baselines(task.trained(), data, data);
  ASSERT_EQ(baselines.size(), 2u);
  EXPECT_LT(metric(baselines[0].second.metrics(), "accuracy"), 0.7);
  EXPECT_GT(metric(baselines[1].second.metrics(), "accuracy"), 0.8);
}

TEST(TableLearning, BalancedClassesHaveTheSameWeightTogether) {
  at::manual_seed(1);
  data::TableData data = table(12, true);
  data.target->categories = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  TableLearningOptions options = small_table_learning();
  options.class_weight = "balanced";
  TableLearning task(data, data, options, {"?"});
  expect_balanced(task, {data.target->categories.begin(), data.target->categories.end()});
}

TEST(TableLearning, TellsNumbersInTheirUnits) {
  at::manual_seed(2);
  const data::TableData data = table(100, false);
  TableLearning task(data, data, small_table_learning(), {});
  learn(task, rows_up_to(100), 200);
  const Metrics metrics = task.validate({});
  EXPECT_GT(metric(metrics, "r2"), 0.8);
  EXPECT_LT(metric(metrics, "rmse"), 4);
  EXPECT_EQ(task.watched("").name, "rmse");
  EXPECT_FALSE(task.watched("").higher_is_better);
  EXPECT_FALSE(task.watched("mae").higher_is_better);
  EXPECT_TRUE(task.watched("r2").higher_is_better);
  const at::Tensor found = outputs(task.trained(), encode(task.trained().columns, data));
  EXPECT_NEAR(found.mean().item<double>(), 102.5, 2);
  const auto baselines = table_baselines(task.trained(), data, data);
  EXPECT_NEAR(metric(baselines[0].second.metrics(), "r2"), 0, 1e-9);
}

TEST(TableLearning, RefusesATargetOfAnotherTypeOfProblem) {
  for (const bool classes : {false, true}) {
    const data::TableData data = table(20, classes);
    for (const std::string& type : problem_types()) {
      TableLearningOptions options = small_table_learning();
      options.problem_type = type;
      if (type == (classes ? "regression" : "classification")) {
        EXPECT_THROW(TableLearning(data, data, options, {}), UsageError) << type;
      } else {
        EXPECT_NO_THROW(TableLearning(data, data, options, {})) << type;
      }
    }
    EXPECT_EQ(target_kind_of(classes ? "classification" : "regression"),
              classes ? data::TargetKind::kClasses : data::TargetKind::kNumber);
  }
  TableLearningOptions options = small_table_learning();
  options.problem_type = "ranking";
  EXPECT_THROW(TableLearning(table(20, true), table(20, true), options, {}), UsageError);
}

TEST(TableLearning, ImportanceNamesTheColumnsThatTell) {
  at::manual_seed(3);
  const data::TableData data = table(100, false);
  TableLearning task(data, data, small_table_learning(), {});
  learn(task, rows_up_to(100), 200);
  const auto columns = column_importance(task.trained(), encode(task.trained().columns, data),
                                         *data.target, {.shuffles = 3});
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[0].name, "x");
  EXPECT_EQ(columns[2].name, "kind");
  EXPECT_NEAR(columns[0].attention + columns[1].attention + columns[2].attention, 1, 1e-6);
  EXPECT_GT(columns[0].permutation, 0.5);
  EXPECT_GT(columns[0].permutation, columns[2].permutation);
  EXPECT_GT(columns[2].permutation, 4 * std::abs(columns[1].permutation));
}

TEST(TableLearning, ABatchIsThatOfItsRowsAlone) {
  at::manual_seed(4);
  const data::TableData data = table(20, true);
  TableLearning task(data, data, small_table_learning(), {});
  task.module().eval();
  const EncodedTable rows = encode(task.trained().columns, data);
  const at::Tensor whole = outputs(task.trained(), rows);
  const auto one = table_batch(task.trained().columns, 4, rows, {7});
  EXPECT_LT((task.trained().model->forward(one)[0] - whole[7]).abs().max().item<double>(), 1e-5);
}

TEST(TableTensors, NumbersAreRanked) {
  data::TableData data;
  data.columns = {{.name = "x"}};
  for (int i = 0; i < 100; ++i) data.columns[0].numbers.push_back(std::exp(i / 10.0));
  data.places.resize(100);
  const auto columns = features_of(data, {.num_bins = 4});
  const EncodedTable rows = encode(columns, data);
  const at::Tensor numbers = table_batch(columns, 4, rows, rows_up_to(100)).numbers.select(1, 0);
  const at::Tensor scores = numbers.select(1, 0);
  EXPECT_NEAR(scores.mean().item<double>(), 0, 1e-3);
  EXPECT_NEAR(scores[99].item<double>(), 2.576, 1e-2);  // 99.5 % are below
  EXPECT_NEAR(scores[0].item<double>(), -2.576, 1e-2);
  // The median fills the first two bins.
  EXPECT_NEAR(numbers[50].narrow(0, 1, 4).sum().item<double>(), 2, 0.1);
  EXPECT_EQ(numbers[99].narrow(0, 1, 4).sum().item<double>(), 4);
  const auto standard = features_of(data, {.scaling = "standard", .num_bins = 0});
  const at::Tensor plain = table_batch(standard, 0, rows, rows_up_to(100)).numbers.flatten();
  EXPECT_NEAR(plain.mean().item<double>(), 0, 1e-5);
  EXPECT_NEAR(plain.std(false).item<double>(), 1, 1e-5);
}

TEST(TableTensors, RareAndNewCategoriesAreOne) {
  const data::TableData data = table(20, true);
  const auto columns = features_of(data, {.min_frequency = 2});
  EXPECT_EQ(columns[2].categories, std::vector<std::string>({"a", "b"}));
  data::TableData other = data;
  other.columns[2].names = {"b", "new"};
  other.columns[2].categories.assign(20, 1);
  other.columns[2].categories[0] = 0;
  other.columns[2].categories[1] = -1;
  const EncodedTable rows = encode(columns, other);
  EXPECT_EQ(rows.categories[0][0], 3);
  EXPECT_EQ(rows.categories[0][1], 0);
  EXPECT_EQ(rows.categories[0][2], 1);
  EXPECT_EQ(rows.unseen, 18);
  EXPECT_EQ(shared_vectors(columns), std::vector<bool>({true, true, false, false}));
}

TEST(TableTensors, AGapIsTheMiddle) {
  const data::TableData data = table(50, true);
  const auto columns = features_of(data, {.num_bins = 0});
  data::TableData two = data::chosen_rows(data, {0, 1});
  two.columns[0].numbers = {std::nan(""), columns[0].middle};
  const auto batch = table_batch(columns, 0, encode(columns, two), {0, 1});
  EXPECT_EQ(batch.numbers[0][0].item<float>(), batch.numbers[1][0].item<float>());
  EXPECT_EQ(batch.gaps[0][0].item<float>(), 1);
  EXPECT_EQ(batch.gaps[1][0].item<float>(), 0);
}

TEST(TableTensors, AColumnOfOneNumberStaysFinite) {
  data::TableData data;
  data.columns = {{.name = "x", .numbers = std::vector<double>(10, 1e9)}};
  data.places.resize(10);
  for (const char* scaling : {"quantile", "standard"}) {
    const auto columns = features_of(data, {.scaling = scaling});
    const auto batch = table_batch(columns, 16, encode(columns, data), {0, 1});
    EXPECT_TRUE(batch.numbers.isfinite().all().item<bool>()) << scaling;
    EXPECT_LT(batch.numbers.abs().max().item<double>(), 5) << scaling;
  }
}

}  // namespace
}  // namespace heed::tasks
