#include "heed/nn/parameters/shards.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "heed/base/error.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/feed_forward.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

// Where threads that play processes bring what is to be summed.
class Meeting {
 public:
  explicit Meeting(int64_t count) : parts_(static_cast<size_t>(count)) {}

  void sum(int64_t index, at::Tensor values) {
    const c10::AutoGradMode no_gradients(false);
    std::unique_lock lock(mutex_);
    parts_[static_cast<size_t>(index)] = values.clone();
    const int64_t round = round_;
    if (++arrived_ == parts_.size()) {
      total_ = at::stack(parts_).sum(0);
      arrived_ = 0;
      ++round_;
      ++sums_;
      all_there_.notify_all();
    } else {
      all_there_.wait(lock, [&] { return round_ != round; });
    }
    values.copy_(total_);
  }
  int64_t sums() const { return sums_; }

 private:
  std::mutex mutex_;
  std::condition_variable all_there_;
  std::vector<at::Tensor> parts_;
  at::Tensor total_;
  size_t arrived_ = 0;
  int64_t round_ = 0;
  int64_t sums_ = 0;
};

class ThreadShards final : public Shards {
 public:
  ThreadShards(int64_t index, int64_t count, std::shared_ptr<Meeting> meeting)
      : index_(index), count_(count), meeting_(std::move(meeting)) {}
  int64_t index() const override { return index_; }
  int64_t count() const override { return count_; }
  void sum(at::Tensor values) const override { meeting_->sum(index_, std::move(values)); }

 private:
  int64_t index_;
  int64_t count_;
  std::shared_ptr<Meeting> meeting_;
};

using Tensors = std::vector<at::Tensor>;

template <typename Module>
struct Case {
  std::function<std::shared_ptr<Module>()> make;
  std::function<at::Tensor(const Module&, const Tensors&)> forward;
  Tensors inputs;
  int64_t sums = 2;  // one in each direction, and one more for a second input
};

// What a module makes of the inputs, and the gradients of both.
template <typename Module>
struct Outcome {
  std::shared_ptr<Module> module;
  Tensors inputs;
  at::Tensor output;

  void run(const Case<Module>& one) {
    for (const at::Tensor& each : one.inputs) inputs.push_back(each.clone().requires_grad_());
    output = one.forward(*module, inputs);
    const at::Tensor probe = at::arange(output.numel(), at::kDouble).sin().view(output.sizes());
    (output * probe).sum().backward();
  }
};

template <typename Module>
std::shared_ptr<Module> made(const Case<Module>& one) {
  at::manual_seed(7);
  auto module = one.make();
  module->to(at::kDouble);
  const c10::AutoGradMode no_gradients(false);
  for (at::Tensor& parameter : module->parameters()) parameter.normal_(0, 0.4);
  return module;
}

template <typename Module>
void expect_parts_of(const Outcome<Module>& whole, const Outcome<Module>& part,
                     const std::vector<ShardedTensor>& splits, const ThreadShards& shards) {
  EXPECT_LT(distance(part.output, whole.output), 1e-13);
  for (size_t i = 0; i < whole.inputs.size(); ++i) {
    EXPECT_LT(distance(part.inputs[i].grad(), whole.inputs[i].grad()), 1e-12) << "input " << i;
  }
  const auto expected = whole.module->named_parameters();
  for (const auto& item : part.module->named_parameters()) {
    at::Tensor gradient = expected[item.key()].grad();
    for (const ShardedTensor& split : splits) {
      if (!split.tensor.is_same(item.value())) continue;
      gradient = split.part_of(gradient, shards.index(), shards.count());
    }
    ASSERT_EQ(item.value().grad().sizes(), gradient.sizes()) << item.key();
    EXPECT_LT(distance(item.value().grad(), gradient), 1e-12) << item.key();
  }
}

template <typename Module>
void expect_the_same_in_parts(const Case<Module>& one, int64_t count) {
  Outcome<Module> whole{.module = made(one), .inputs = {}, .output = {}};
  whole.run(one);
  const auto meeting = std::make_shared<Meeting>(count);
  std::vector<Outcome<Module>> parts(static_cast<size_t>(count));
  std::vector<std::shared_ptr<ThreadShards>> shards;
  std::vector<std::vector<ShardedTensor>> splits;
  for (int64_t i = 0; i < count; ++i) {
    auto& part = parts[static_cast<size_t>(i)];
    part.module = made(one);
    shards.push_back(std::make_shared<ThreadShards>(i, count, meeting));
    splits.push_back(split_layers(*part.module, shards.back()));
  }
  std::vector<std::thread> threads;
  for (auto& part : parts) threads.emplace_back([&] { part.run(one); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(meeting->sums(), one.sums);
  for (size_t i = 0; i < parts.size(); ++i) {
    expect_parts_of(whole, parts[i], splits[i], *shards[i]);
  }
}

void expect_self_attention_in_parts(const AttentionSettings& settings, int64_t count) {
  at::manual_seed(1);
  expect_the_same_in_parts<MultiHeadAttention>(
      {.make =
           [&] {
             return std::make_shared<MultiHeadAttention>(
                 MultiHeadAttentionOptions{.d_model = 32, .num_heads = 4, .attention = settings});
           },
       .forward = [](const MultiHeadAttention& layer,
                     const Tensors& in) { return layer.forward(in[0], Pattern::causal()); },
       .inputs = {at::randn({2, 6, 32}, at::kDouble)}},
      count);
}

TEST(Shards, SelfAttentionWithEveryKindOfPosition) {
  expect_self_attention_in_parts({.positions = "none"}, 4);
  expect_self_attention_in_parts({.positions = "rotary", .num_key_value_heads = 2}, 2);
  expect_self_attention_in_parts({.positions = "alibi"}, 2);
  expect_self_attention_in_parts({.positions = "relative", .max_relative_positions = 3}, 4);
}

TEST(Shards, SelfAttentionWithScoresThatLearn) {
  expect_self_attention_in_parts({.score = "cosine", .positions = "none"}, 2);
  expect_self_attention_in_parts({.score = "additive", .positions = "none"}, 4);
}

TEST(Shards, CrossAttention) {
  at::manual_seed(1);
  expect_the_same_in_parts<CrossAttention>(
      {.make =
           [] {
             return std::make_shared<CrossAttention>(
                 MultiHeadAttentionOptions{.d_model = 32,
                                           .num_heads = 4,
                                           .attention = {.num_key_value_heads = 2},
                                           .d_memory = 10});
           },
       .forward =
           [](const CrossAttention& layer, const Tensors& in) {
             return layer.forward(in[0], layer.project(in[1]), Pattern::full());
           },
       .inputs = {at::randn({2, 6, 32}, at::kDouble), at::randn({2, 5, 10}, at::kDouble)},
       .sums = 3},
      2);
}

TEST(Shards, FeedForward) {
  at::manual_seed(1);
  for (const bool gated : {false, true}) {
    expect_the_same_in_parts<FeedForward>(
        {.make =
             [&] {
               return std::make_shared<FeedForward>(
                   FeedForwardOptions{.d_model = 6,
                                      .d_ff = 12,
                                      .kind = feed_forward_kind_from(gated ? "swiglu" : "gelu"),
                                      .bias = !gated});
             },
         .forward = [](const FeedForward& layer,
                       const Tensors& in) { return layer.forward(in[0]); },
         .inputs = {at::randn({2, 3, 6}, at::kDouble)}},
        4);
  }
}

TEST(Shards, AnEncoderSumsTwiceALayerInEachDirection) {
  at::manual_seed(1);
  expect_the_same_in_parts<Encoder>(
      {.make =
           [] {
             return std::make_shared<Encoder>(
                 2, LayerOptions{.d_model = 8, .num_heads = 2, .d_ff = 16});
           },
       .forward = [](const Encoder& encoder,
                     const Tensors& in) { return encoder.forward(in[0], Pattern::full()); },
       .inputs = {at::randn({2, 3, 8}, at::kDouble)},
       .sums = 8},
      2);
}

TEST(Shards, PartsMakeTheWhole) {
  const at::Tensor whole = at::arange(36).view({12, 3});
  const ShardedTensor rows{.tensor = at::empty({6, 3}), .dimension = 0, .blocks = {8, 4}};
  EXPECT_EQ(rows.whole_sizes(), (std::vector<int64_t>{12, 3}));
  const std::vector<at::Tensor> parts = {rows.part_of(whole, 0, 2), rows.part_of(whole, 1, 2)};
  EXPECT_EQ(parts[1].select(1, 0).sum().item<int64_t>(), 3 * (4 + 5 + 6 + 7 + 10 + 11));
  EXPECT_TRUE(at::equal(rows.whole_of(parts), whole));
}

void expect_refused(torch::nn::Module& module, int64_t count, const std::string& word) {
  const auto before = module.parameters();
  std::vector<std::vector<int64_t>> sizes;
  for (const at::Tensor& each : before) sizes.push_back(each.sizes().vec());
  try {
    split_layers(module, std::make_shared<ThreadShards>(0, count, nullptr));
    FAIL() << "expected it to be refused: " << word;
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].sizes().vec(), sizes[i]);
}

TEST(Shards, WhatCannotBeSharedEvenlyIsRefused) {
  Encoder heads(1, {.d_model = 12, .num_heads = 4, .d_ff = 12});
  expect_refused(heads, 3, "heads");
  Encoder keys(
      1, {.d_model = 16, .num_heads = 4, .d_ff = 16, .attention = {.num_key_value_heads = 2}});
  expect_refused(keys, 4, "key-value heads");
  Encoder hidden(1, {.d_model = 16, .num_heads = 4, .d_ff = 18});
  expect_refused(hidden, 4, "feed-forward");
  Linear alone({.in = 4, .out = 4});
  expect_refused(alone, 2, "data parallel");
}

}  // namespace
}  // namespace heed::nn
