// The recurrent networks of EncoderDecoder; those of layers of attention are in
// encoder_decoder_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/encoder_decoder.h"
#include "heed/models/testing/test_models.h"
#include "heed/ops/testing/optimizers.h"

namespace heed::models {
namespace {

const RecurrentNetworkOptions kRecurrentNetworks[] = {
    {.attention = "additive"}, {.cell = "lstm", .attention = "additive"},
    {.attention = "dot"},      {.cell = "lstm", .attention = "dot", .input_feeding = false},
    {.attention = "none"},
};

EncoderDecoderOptions small_recurrent(const RecurrentNetworkOptions& rnn) {
  TransformerOptions transformer = small_transformer({});
  transformer.init = "xavier_uniform";
  return {.source_vocab_size = 23,
          .target_vocab_size = 23,
          .transformer = transformer,
          .num_decoder_layers = 3,
          .architecture = "rnn",
          .rnn = rnn};
}

std::string name_of(const RecurrentNetworkOptions& rnn) { return rnn.cell + ' ' + rnn.attention; }

at::Tensor ids_of(int64_t rows, int64_t length) {
  return at::randint(1, 23, {rows, length}, at::kLong);
}

TextBatch three_sources() {
  return {.ids = ids_of(3, 11), .lengths = at::tensor({11, 4, 7}, at::kLong)};
}

TEST(RecurrentEncoderDecoder, PaddingChangesNothing) {
  for (const RecurrentNetworkOptions& rnn : kRecurrentNetworks) {
    at::manual_seed(6);
    EncoderDecoder model(small_recurrent(rnn));
    model.to(at::kDouble);
    const TextBatch source = three_sources();
    const TextBatch target{.ids = ids_of(3, 8), .lengths = at::tensor({8, 2, 5}, at::kLong)};
    const at::Tensor together = model.forward(source, target);
    EXPECT_EQ(together.sizes(), at::IntArrayRef({3, 8, 23}));
    for (int64_t b = 0; b < 3; ++b) {
      const int64_t ns = source.lengths[b].item<int64_t>();
      const int64_t nt = target.lengths[b].item<int64_t>();
      const at::Tensor alone =
          model.forward({.ids = source.ids.slice(0, b, b + 1).slice(1, 0, ns)},
                        {.ids = target.ids.slice(0, b, b + 1).slice(1, 0, nt)});
      EXPECT_LT(distance(together[b].slice(0, 0, nt), alone[0]), 1e-12) << name_of(rnn) << b;
    }
  }
}

TEST(RecurrentEncoderDecoder, DecodingByTokenGivesTheLogitsOfAllAtOnce) {
  for (const RecurrentNetworkOptions& rnn : kRecurrentNetworks) {
    at::manual_seed(6);
    EncoderDecoder model(small_recurrent(rnn));
    spread_parameters(model);
    model.to(at::kDouble);
    const TextBatch source = three_sources();
    const at::Tensor target = ids_of(3, 12);
    const at::Tensor whole = model.forward(source, {.ids = target});
    const nn::Memory memory = model.encode(source);
    nn::DecoderCache cache;
    std::vector<at::Tensor> pieces;
    for (int64_t n = 0; n < 12; ++n) {
      pieces.push_back(model.next({.ids = target.slice(1, n, n + 1)}, memory, cache));
    }
    EXPECT_LT(distance(at::stack(pieces, 1), whole), 1e-11) << name_of(rnn);
  }
}

TEST(RecurrentEncoderDecoder, BeamsShareTheMemoryOfTheirSource) {
  for (const RecurrentNetworkOptions& rnn : kRecurrentNetworks) {
    at::manual_seed(6);
    EncoderDecoder model(small_recurrent(rnn));
    spread_parameters(model);
    model.to(at::kDouble);
    const TextBatch source = three_sources();
    const nn::Memory memory = model.encode(source);
    const auto alone = [&](const at::Tensor& target, const std::vector<int64_t>& sources) {
      const at::Tensor rows = at::tensor(sources, at::kLong);
      return model
          .forward({.ids = source.ids.index_select(0, rows),
                    .lengths = source.lengths.index_select(0, rows)},
                   {.ids = target})
          .select(1, target.size(1) - 1);
    };
    nn::DecoderCache cache;
    at::Tensor target = ids_of(6, 3);
    EXPECT_LT(
        distance(model.next({.ids = target}, memory, cache), alone(target, {0, 0, 1, 1, 2, 2})),
        1e-11)
        << name_of(rnn);

    // Beams change places; then the source in the middle is finished; then groups differ in size.
    const std::vector<std::vector<int64_t>> chosen = {{1, 1, 2, 3, 5, 4}, {0, 1, 5, 4}, {0, 2, 3}};
    const std::vector<std::vector<int64_t>> sources = {{0, 0, 1, 1, 2, 2}, {0, 0, 2, 2}, {0, 2, 2}};
    for (size_t i = 0; i < chosen.size(); ++i) {
      const at::Tensor rows = at::tensor(chosen[i], at::kLong);
      cache.select(rows);
      const int64_t read = target.size(1);
      target = at::cat({target.index_select(0, rows), ids_of(rows.size(0), 1)}, 1);
      const at::Tensor logits = model.next({.ids = target.slice(1, read)}, memory, cache);
      EXPECT_LT(distance(logits, alone(target, sources[i])), 1e-11) << name_of(rnn) << i;
    }
  }
}

TEST(RecurrentEncoderDecoder, OneMatrixServesWhereItIsAskedTo) {
  EncoderDecoderOptions options = small_recurrent({});
  options.tie_word_embeddings = "none";
  const auto wide = [](const EncoderDecoderOptions& o) {
    int64_t count = 0;
    for (const auto& item : EncoderDecoder(o).named_parameters()) {
      if (item.value().size(0) == 23) ++count;
    }
    return count;
  };
  EXPECT_EQ(wide(options), 3);
  EXPECT_EQ(wide(small_recurrent({})), 1);
}

TEST(RecurrentEncoderDecoder, WhatCannotBeIsRefused) {
  EncoderDecoderOptions options = small_recurrent({.attention = "cosine"});
  EXPECT_THROW(EncoderDecoder{options}, UsageError);
  options = small_recurrent({.cell = "tanh"});
  EXPECT_THROW(EncoderDecoder{options}, UsageError);
  options = small_recurrent({});
  options.architecture = "cnn";
  EXPECT_THROW(EncoderDecoder{options}, UsageError);
  options = small_recurrent({});
  options.transformer.num_heads = 3;  // no divisor of 32, and of no meaning here
  EXPECT_NO_THROW(EncoderDecoder{options});
}

TEST(RecurrentEncoderDecoder, LearnsToCopy) {
  for (const RecurrentNetworkOptions& rnn : kRecurrentNetworks) {
    at::manual_seed(6);
    EncoderDecoderOptions options = small_recurrent(rnn);
    options.transformer.num_layers = 1;
    options.num_decoder_layers = 1;
    EncoderDecoder model(options);
    const TextBatch source{.ids = ids_of(4, 8)};
    const TextBatch target{
        .ids = at::cat({at::ones({4, 1}, at::kLong), source.ids.slice(1, 0, 7)}, 1)};
    torch::optim::Adam adam(model.parameters(), torch::optim::AdamOptions(1e-2));
    const auto loss_of = [&] {
      return at::cross_entropy_loss(model.forward(source, target).flatten(0, 1),
                                    source.ids.flatten());
    };
    const double before = loss_of().item<double>();
    for (int step = 0; step < 60; ++step) {
      adam.zero_grad();
      loss_of().backward();
      adam.step();
    }
    EXPECT_LT(loss_of().item<double>(), before / 2) << name_of(rnn);
  }
}

}  // namespace
}  // namespace heed::models
