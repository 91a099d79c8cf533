#include "heed/tasks/generation/language_modeling.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "heed/base/error.h"
#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"
#include "heed/tasks/generation/language_model_decoder.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

std::string alphabet(int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += "abcdefghijklmnopqrstuvwxyz\n";
  return text;
}

models::LanguageModelOptions small_language_modeling(const std::string& positions = "rotary") {
  return {.transformer = {.d_model = 32,
                          .num_heads = 2,
                          .num_layers = 2,
                          .d_ff = 64,
                          .max_length = 16,
                          .attention = {.positions = positions},
                          .dropout = 0,
                          .attention_dropout = 0,
                          .embedding_dropout = 0}};
}

LanguageModeling task_of(const models::LanguageModelOptions& model, int times = 40) {
  const data::TextData data{.train = alphabet(times), .valid = alphabet(4)};
  return {data, tokenizer_for("characters", data.train), model};
}

TEST(LanguageModeling, LearnsWhatItIsShown) {
  at::manual_seed(3);
  LanguageModeling task = task_of(small_language_modeling());
  task.module().train();
  std::vector<int64_t> all(task.train_lengths().size());
  std::iota(all.begin(), all.end(), 0);
  for (int step = 0; step < 150; ++step) {
    task.module().zero_grad();
    task.loss(*task.prepare(all)).value.backward();
    const c10::AutoGradMode no_gradients(false);
    for (at::Tensor& p : task.module().parameters()) p.sub_(p.grad(), 0.5);
  }
  task.module().eval();
  const Metrics metrics = task.validate({});
  expect_all(LanguageModeling::watchable(), metrics);
  EXPECT_FALSE(task.watched("perplexity").higher_is_better);
  EXPECT_FALSE(task.watched("bits_per_byte").higher_is_better);
  EXPECT_LT(metric(metrics, "loss"), 0.3);
  EXPECT_EQ(metric(metrics, "tokens"), 4 * 27 - 1);
  EXPECT_NEAR(metric(metrics, "perplexity"), std::exp(metric(metrics, "loss")), 1e-9);
  // A byte a token here.
  EXPECT_NEAR(metric(metrics, "bits_per_byte"), metric(metrics, "loss") / std::log(2.0), 1e-9);
}

TEST(LanguageModeling, AnEpochHasTheTextOnce) {
  at::manual_seed(3);
  const LanguageModeling task = task_of(small_language_modeling());
  EXPECT_EQ(task.train_lengths().size(), static_cast<size_t>((40 * 27 - 1) / 16));
  EXPECT_EQ(task.train_lengths()[0], 16);
}

TEST(LanguageModeling, LossesAreThoseOfTheDefinition) {
  at::manual_seed(3);
  LanguageModeling task = task_of(small_language_modeling());
  task.module().eval();
  const models::LanguageModel& model = *task.trained().model;
  const auto ids = task.trained().tokenizer->encode_ids(alphabet(2), text::Surround::kNo);
  const std::vector<float> losses = token_losses(model, ids);
  ASSERT_EQ(losses.size(), ids.size() - 1);
  const c10::AutoGradMode no_gradients(false);
  for (size_t i = 0; i < losses.size(); ++i) {
    const size_t begin = i / 16 * 16;  // windows stand side by side
    const std::vector<int64_t> seen(ids.begin() + static_cast<int64_t>(begin),
                                    ids.begin() + static_cast<int64_t>(i) + 1);
    const at::Tensor logits = model.forward(at::tensor(seen, at::kLong).unsqueeze(0))[0][-1];
    EXPECT_NEAR(losses[i], -logits.log_softmax(0)[ids[i + 1]].item<double>(), 1e-5) << i;
  }
  EXPECT_TRUE(token_losses(model, {ids[0]}).empty());
}

TEST(LanguageModeling, TokenizersByName) {
  EXPECT_EQ(tokenizer_for("bytes", "")->size(), 257);
  EXPECT_LE(tokenizer_for("bpe:300", alphabet(9))->size(), 300);
  EXPECT_GT(tokenizer_for("bpe:300", alphabet(9))->size(), 257);
  EXPECT_EQ(tokenizer_for("characters", "abca")->size(), 3 + 2);
  EXPECT_THROW(tokenizer_for("bpe:12", ""), UsageError);
  EXPECT_THROW(tokenizer_for("bpe:x", ""), UsageError);
  EXPECT_THROW(tokenizer_for("no/such/file.json", ""), MissingInputError);
  EXPECT_EQ(tokenizer_for(TextTokenizerOptions(), alphabet(9))->size(),
            tokenizer_for("bpe:512", alphabet(9))->size());
  EXPECT_EQ(tokenizer_for(TextTokenizerOptions{.tokenizer = "bytes"}, "")->size(), 257);
}

TEST(LanguageModeling, RefusesATextOfOneToken) {
  const auto tokenizer = tokenizer_for("characters", "ab");
  EXPECT_THROW(
      LanguageModeling({.train = "a", .valid = "ab"}, tokenizer, small_language_modeling()),
      DataError);
  EXPECT_THROW(LanguageModeling({.train = "ab", .valid = ""}, tokenizer, small_language_modeling()),
               DataError);
}

// What the cache gives is what reading everything again gives, beyond the context too, where both
// start again from its latest half.
TEST(LanguageModelDecoder, TheCacheChangesNothing) {
  for (const char* positions : {"learned", "rotary", "alibi"}) {
    at::manual_seed(5);
    LanguageModeling task = task_of(small_language_modeling(positions));
    task.module().eval();
    const auto model = task.trained().model;
    LanguageModelDecoder decoder(model);
    const std::vector<int64_t> prompt = {3, 4, 5};
    const auto generated = inference::generate(
        decoder, prompt, {.sampling = {.temperature = 0}, .max_new_tokens = 30});
    std::vector<int64_t> window = prompt;
    const c10::AutoGradMode no_gradients(false);
    for (size_t i = 0; i < 30; ++i) {
      if (window.size() > 16) window.erase(window.begin(), window.end() - 8);
      const at::Tensor logits = model->forward(at::tensor(window, at::kLong).unsqueeze(0))[0][-1];
      const auto id = logits.argmax().item<int64_t>();
      ASSERT_EQ(generated[0].ids[i], id) << positions << " token " << i;
      window.push_back(id);
    }
  }
}

TEST(LanguageModelDecoder, OneBeamIsGreedy) {
  at::manual_seed(5);
  LanguageModeling task = task_of(small_language_modeling());
  task.module().eval();
  LanguageModelDecoder decoder(task.trained().model);
  const auto greedy =
      inference::generate(decoder, {3, 4}, {.sampling = {.temperature = 0}, .max_new_tokens = 10});
  decoder.reset();
  const auto beam = inference::beam_search(decoder, at::tensor({3, 4}, at::kLong).unsqueeze(0),
                                           {.num_beams = 1, .max_new_tokens = 10});
  EXPECT_EQ(beam[0][0].ids, greedy[0].ids);
}

TEST(LanguageModeling, TextsBeyondTheContextAreCounted) {
  models::TrainedLanguageModel trained;
  trained.model = std::make_shared<models::LanguageModel>(
      models::LanguageModelOptions{.vocab_size = 10, .transformer = {.max_length = 8}});
  EXPECT_TRUE(cut_texts(trained, {0, 9}).warnings().empty());
  CutTexts all = cut_texts(trained, {10, 3});
  all += cut_texts(trained, {100});
  EXPECT_EQ(all.warnings(),
            std::vector<std::string>{"2 of 3 texts have more than 9 tokens, one more than the "
                                     "context, and are read in windows, each by itself"});
}

}  // namespace
}  // namespace heed::tasks
