#include "heed/models/encoder_decoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/testing/test_models.h"
#include "heed/ops/testing/optimizers.h"

namespace heed::models {
namespace {

EncoderDecoderOptions small_encoder_decoder(const nn::AttentionSettings& attention,
                                            const char* tied = "all") {
  TransformerOptions transformer = small_transformer(attention);
  transformer.norm_first = false;
  transformer.init = "xavier_uniform";
  return {.source_vocab_size = 23,
          .target_vocab_size = 23,
          .tie_word_embeddings = tied,
          .transformer = transformer,
          .num_decoder_layers = 3};
}

at::Tensor random_ids(int64_t rows, int64_t length) {
  return at::randint(1, 23, {rows, length}, at::kLong);
}

TextBatch padded_source() {
  return {.ids = random_ids(3, 11), .lengths = at::tensor({11, 4, 7}, at::kLong)};
}

TEST(EncoderDecoderCache, DecodingByTokenGivesTheLogitsOfAllAtOnce) {
  for (const char* positions : {"sinusoidal", "rotary", "relative"}) {
    at::manual_seed(6);
    EncoderDecoder model(small_encoder_decoder({.positions = positions, .num_key_value_heads = 2}));
    spread_parameters(model);
    model.to(at::kDouble);
    const TextBatch source = padded_source();
    const at::Tensor target = random_ids(3, 12);
    const at::Tensor whole = model.forward(source, {.ids = target});
    const nn::Memory memory = model.encode(source);
    nn::DecoderCache cache;
    std::vector<at::Tensor> pieces;
    for (int64_t n = 0; n < 12; ++n) {
      pieces.push_back(model.next({.ids = target.slice(1, n, n + 1)}, memory, cache));
    }
    EXPECT_LT(distance(at::stack(pieces, 1), whole), 1e-12) << positions;
  }
}

TEST(EncoderDecoderCache, BeamsShareTheMemoryOfTheirSource) {
  at::manual_seed(6);
  EncoderDecoder model(small_encoder_decoder({.positions = "rotary"}));
  spread_parameters(model);
  model.to(at::kDouble);
  const TextBatch source = padded_source();
  const nn::Memory memory = model.encode(source);
  const at::Tensor start = random_ids(6, 3);
  const auto alone = [&](const at::Tensor& target, const std::vector<int64_t>& sources) {
    const at::Tensor rows = at::tensor(sources, at::kLong);
    return model
        .forward({.ids = source.ids.index_select(0, rows),
                  .lengths = source.lengths.index_select(0, rows)},
                 {.ids = target})
        .select(1, target.size(1) - 1);
  };
  nn::DecoderCache cache;
  const at::Tensor first = model.next({.ids = start}, memory, cache);
  EXPECT_LT(distance(first, alone(start, {0, 0, 1, 1, 2, 2})), 1e-12);

  // Beams change places inside their sources: the memory stays where it is.
  const void* kept = cache.memory[0].key.const_data_ptr();
  at::Tensor rows = at::tensor({1, 1, 2, 3, 5, 4}, at::kLong);
  cache.select(rows);
  EXPECT_EQ(cache.memory[0].key.const_data_ptr(), kept);
  at::Tensor target = at::cat({start.index_select(0, rows), random_ids(6, 1)}, 1);
  at::Tensor logits = model.next({.ids = target.slice(1, 3)}, memory, cache);
  EXPECT_LT(distance(logits, alone(target, {0, 0, 1, 1, 2, 2})), 1e-12);

  // The source in the middle is finished.
  rows = at::tensor({0, 1, 5, 4}, at::kLong);
  cache.select(rows);
  EXPECT_EQ(cache.memory[0].key.size(0), 2);
  target = at::cat({target.index_select(0, rows), random_ids(4, 1)}, 1);
  logits = model.next({.ids = target.slice(1, 4)}, memory, cache);
  EXPECT_LT(distance(logits, alone(target, {0, 0, 2, 2})), 1e-12);

  // Groups of different sizes: each row has a memory of its own then.
  rows = at::tensor({0, 2, 3}, at::kLong);
  cache.select(rows);
  target = at::cat({target.index_select(0, rows), random_ids(3, 1)}, 1);
  logits = model.next({.ids = target.slice(1, 5)}, memory, cache);
  EXPECT_LT(distance(logits, alone(target, {0, 2, 2})), 1e-12);
}

TEST(EncoderDecoder, PaddingChangesNothing) {
  at::manual_seed(6);
  EncoderDecoder model(small_encoder_decoder({}));
  TextBatch source = padded_source();
  const TextBatch target{.ids = random_ids(3, 8), .lengths = at::tensor({8, 2, 5}, at::kLong)};
  const at::Tensor together = model.forward(source, target);
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t ns = source.lengths[b].item<int64_t>();
    const int64_t nt = target.lengths[b].item<int64_t>();
    const at::Tensor alone = model.forward({.ids = source.ids.slice(0, b, b + 1).slice(1, 0, ns)},
                                           {.ids = target.ids.slice(0, b, b + 1).slice(1, 0, nt)});
    EXPECT_LT(distance(together[b].slice(0, 0, nt), alone[0]), 5e-6) << b;
  }
}

TEST(EncoderDecoder, TheTraceKeepsSelfAndCrossApart) {
  at::manual_seed(6);
  const EncoderDecoder model(small_encoder_decoder({}));
  const TextBatch source{.ids = random_ids(2, 9)};
  const TextBatch target{.ids = random_ids(2, 5)};
  nn::AttentionTrace trace;
  const at::Tensor with = model.forward(source, target, &trace);
  EXPECT_TRUE(at::equal(with, model.forward(source, target)));
  ASSERT_EQ(trace.weights.size(), 5U);  // two layers of the encoder, three of the decoder
  ASSERT_EQ(trace.cross_weights.size(), 3U);
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({2, 4, 9, 9}));
  EXPECT_EQ(trace.weights[4].sizes(), at::IntArrayRef({2, 4, 5, 5}));
  EXPECT_EQ(trace.cross_weights[0].sizes(), at::IntArrayRef({2, 4, 5, 9}));
}

TEST(EncoderDecoder, TiesWhatItIsAskedTo) {
  const auto parameters = [](const char* tied) {
    int64_t count = 0;
    for (const auto& item : EncoderDecoder(small_encoder_decoder({}, tied)).named_parameters()) {
      if (item.value().size(0) == 23) ++count;
    }
    return count;
  };
  EXPECT_EQ(parameters("none"), 3);
  EXPECT_EQ(parameters("output"), 2);
  EXPECT_EQ(parameters("all"), 1);
  EncoderDecoderOptions options = small_encoder_decoder({});
  options.target_vocab_size = 24;
  EXPECT_THROW(EncoderDecoder{options}, UsageError);
  options.tie_word_embeddings = "output";
  EXPECT_NO_THROW(EncoderDecoder{options});
}

TEST(EncoderDecoder, LearnsToCopyWithEveryScore) {
  for (const char* score : {"dot", "scaled_dot", "cosine", "additive"}) {
    for (const char* pattern : {"full", "window:4:4", "window:2:2|global:1"}) {
      at::manual_seed(6);
      EncoderDecoder model(small_encoder_decoder({.score = score, .pattern = pattern}));
      const TextBatch source{.ids = random_ids(4, 8)};
      const TextBatch target{
          .ids = at::cat({at::ones({4, 1}, at::kLong), source.ids.slice(1, 0, 7)}, 1)};
      torch::optim::Adam adam(model.parameters(), torch::optim::AdamOptions(2e-3));
      const auto loss_of = [&] {
        return at::cross_entropy_loss(model.forward(source, target).flatten(0, 1),
                                      source.ids.flatten());
      };
      const double before = loss_of().item<double>();
      for (int step = 0; step < 25; ++step) {
        adam.zero_grad();
        loss_of().backward();
        adam.step();
      }
      EXPECT_LT(loss_of().item<double>(), before / 2) << score << ' ' << pattern;
    }
  }
}

}  // namespace
}  // namespace heed::models
