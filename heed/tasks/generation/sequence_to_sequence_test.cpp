#include "heed/tasks/generation/sequence_to_sequence.h"
#include "heed/ops/testing/optimizers.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Words and their translations, in the same order: what an alignment has to find.
const std::vector<std::pair<const char*, const char*>> kWords = {
    {"one", "eins"}, {"two", "zwei"}, {"three", "drei"}, {"four", "vier"}, {"five", "fünf"}};

constexpr int64_t kPairs = 300;

data::ParallelData numbers(int64_t count, uint64_t seed) {
  data::ParallelData data{.file = "numbers"};
  const at::Tensor drawn = [&] {
    at::manual_seed(seed);
    return at::randint(0, 5, {count, 5}, at::kLong);
  }();
  const auto* digits = drawn.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    data::TextPair& pair = data.pairs.emplace_back(data::TextPair{.line = i + 1});
    for (int64_t j = 0; j < 1 + i % 5; ++j) {
      const auto& [source, target] = kWords[static_cast<size_t>(digits[i * 5 + j])];
      if (j > 0) {
        pair.source.push_back(' ');
        pair.target.push_back(' ');
      }
      pair.source.append(source);
      pair.target.append(target);
    }
  }
  return data;
}

SequenceToSequenceOptions small_sequence_to_sequence() {
  return {.model = {.transformer = {.d_model = 32,
                                    .num_heads = 2,
                                    .num_layers = 1,
                                    .d_ff = 64,
                                    .max_length = 24,
                                    .norm_first = true,
                                    .init = "xavier_uniform",
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0}},
          .label_smoothing = 0};
}

SequenceToSequence task_of(const SequenceToSequenceOptions& options,
                           const PairTokenizerOptions& tokenizers = {.tokenizer = "bpe:64"}) {
  const data::ParallelData train = numbers(kPairs, 1);
  const PairTokenizers made = tokenizers_for(train, tokenizers);
  at::manual_seed(2);
  SequenceToSequenceOptions model = options;
  if (made.source != made.target) model.model.tie_word_embeddings = "output";
  return {train, numbers(20, 9), made, model};
}

void train(SequenceToSequence& task, int steps) {
  task.module().train();
  std::vector<int64_t> all(task.train_lengths().size());
  std::iota(all.begin(), all.end(), 0);
  torch::optim::Adam adam(task.module().parameters(), torch::optim::AdamOptions(1e-2));
  const auto batch = task.prepare(all);
  for (int step = 0; step < steps; ++step) {
    adam.zero_grad();
    task.loss(*batch).value.backward();
    adam.step();
  }
  task.module().eval();
}

const std::vector<std::string> kSources = {"one", "two two four", "five one three two", "three"};
const std::vector<std::string> kTargets = {"eins", "zwei zwei vier", "fünf eins drei zwei", "drei"};

std::vector<std::string> texts_of(const std::vector<Translation>& translations) {
  std::vector<std::string> texts;
  for (const Translation& each : translations) texts.push_back(each.text);
  return texts;
}

TEST(SequenceToSequence, LearnsWhatItIsShown) {
  SequenceToSequenceOptions options = small_sequence_to_sequence();
  options.watched = "bleu";
  options.model.transformer.max_length = 25;  // five words of four characters, and the end
  for (const char* target : {"", "characters"}) {
    SequenceToSequence task = task_of(options, {.tokenizer = "bpe:64", .target_tokenizer = target});
    train(task, 160);
    const Metrics metrics = task.validate({});
    expect_all(SequenceToSequence::watchable(), metrics);
    EXPECT_TRUE(task.watched("bleu").higher_is_better);
    EXPECT_LT(metric(metrics, "loss"), 0.05) << target;
    EXPECT_NEAR(metric(metrics, "perplexity"), std::exp(metric(metrics, "loss")), 1e-9);
    EXPECT_GT(metric(metrics, "bleu"), 95) << target;
    EXPECT_EQ(texts_of(translate(task.trained(), kSources)), kTargets) << target;
  }
}

SequenceToSequenceOptions small_rnn(const char* attention) {
  SequenceToSequenceOptions options = small_sequence_to_sequence();
  options.model.architecture = "rnn";
  options.model.rnn.attention = attention;
  return options;
}

TEST(SequenceToSequence, AnRnnLearnsWhatItIsShown) {
  SequenceToSequenceOptions options = small_rnn("additive");
  options.watched = "bleu";
  SequenceToSequence task = task_of(options);
  train(task, 160);
  const Metrics metrics = task.validate({});
  EXPECT_LT(metric(metrics, "loss"), 0.3);
  EXPECT_GT(metric(metrics, "bleu"), 70);
  EXPECT_EQ(texts_of(translate(task.trained(), {"one", "two two four"})),
            (std::vector<std::string>{"eins", "zwei zwei vier"}));
}

// One beam writes what is the likeliest token after each beginning.
TEST(SequenceToSequence, OneBeamOfAnRnnIsGreedy) {
  for (const char* attention : {"additive", "dot", "none"}) {
    SequenceToSequence task = task_of(small_rnn(attention));
    train(task, 15);
    const models::TrainedEncoderDecoder& trained = task.trained();
    const auto written = translate(trained, kSources, {.num_beams = 1, .max_new_tokens = 8});
    const c10::InferenceMode inference;
    for (size_t i = 0; i < kSources.size(); ++i) {
      const std::vector<int32_t> ids = source_ids(trained, kSources[i]);
      const models::TextBatch source{
          .ids = at::tensor(std::vector<int64_t>(ids.begin(), ids.end())).unsqueeze(0)};
      std::vector<int64_t> read = {trained.begin_token_id()};
      while (read.size() <= 8) {
        const at::Tensor logits =
            trained.model->forward(source, {.ids = at::tensor(read).unsqueeze(0)});
        const auto next = logits[0][-1].argmax().item<int64_t>();
        if (next == trained.eos_token_ids().front()) break;
        read.push_back(next);
      }
      EXPECT_EQ(written[i].ids, std::vector<int64_t>(read.begin() + 1, read.end()))
          << attention << ' ' << kSources[i];
    }
  }
}

// Step by step and one pair after the other, as the equations have it.
TEST(SequenceToSequence, LossesAreThoseOfTheDefinition) {
  SequenceToSequence task = task_of(small_sequence_to_sequence());
  task.module().eval();
  const models::TrainedEncoderDecoder& trained = task.trained();
  const data::ParallelData data = numbers(7, 4);
  const c10::AutoGradMode no_gradients(false);
  double nats = 0;
  int64_t tokens = 0;
  for (const data::TextPair& pair : data.pairs) {
    auto source = trained.source->encode_ids(pair.source, text::Surround::kNo);
    source.push_back(*trained.source->id_of("</s>"));
    std::vector<int32_t> target = {*trained.target->id_of("<s>")};
    for (const int32_t id : trained.target->encode_ids(pair.target, text::Surround::kNo)) {
      target.push_back(id);
    }
    target.push_back(*trained.target->id_of("</s>"));
    const auto row = [](const std::vector<int32_t>& ids) {
      return at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong).unsqueeze(0);
    };
    const at::Tensor logits =
        trained.model->forward({.ids = row(source)}, {.ids = row(target)})[0].log_softmax(1);
    for (size_t i = 1; i < target.size(); ++i) {
      nats -= logits[static_cast<int64_t>(i) - 1][target[i]].item<double>();
      ++tokens;
    }
  }
  const Metrics metrics = target_loss(trained, data);
  EXPECT_EQ(metric(metrics, "tokens"), static_cast<double>(tokens));
  EXPECT_NEAR(metric(metrics, "loss"), nats / static_cast<double>(tokens), 1e-5);

  // Training reads the same, and weighs a batch by the tokens that it predicts.
  std::vector<int64_t> all(kPairs);
  std::iota(all.begin(), all.end(), 0);
  const Loss loss = task.loss(*task.prepare(all));
  const Metrics whole = target_loss(trained, numbers(kPairs, 1));
  EXPECT_NEAR(loss.value.item<double>(), metric(whole, "loss"), 1e-5);
  EXPECT_EQ(loss.weight, metric(whole, "tokens"));
}

// (1 − ε) · −log p(next) + ε · mean over the vocabulary of −log p.
// Szegedy et al. 2016, section 7
TEST(SequenceToSequence, SmoothsLabels) {
  SequenceToSequenceOptions options = small_sequence_to_sequence();
  options.label_smoothing = 0.2;
  SequenceToSequence smoothed = task_of(options);
  SequenceToSequence plain = task_of(small_sequence_to_sequence());
  const auto batch = plain.prepare({3});
  const double loss = plain.loss(*batch).value.item<double>();
  options.label_smoothing = 0.4;
  SequenceToSequence more = task_of(options);
  const double a = smoothed.loss(*smoothed.prepare({3})).value.item<double>() - loss;
  const double b = more.loss(*more.prepare({3})).value.item<double>() - loss;
  EXPECT_NEAR(b, 2 * a, 1e-5);  // linear in ε
  EXPECT_GT(std::abs(a), 1e-3);
}

TEST(SequenceToSequence, ATranslationDoesNotDependOnThoseBesideIt) {
  SequenceToSequence task = task_of(small_sequence_to_sequence());
  train(task, 20);  // unsure still, so that beams differ
  std::vector<std::string> sources = kSources;
  sources.insert(sources.begin() + 1, " \t");
  const auto together = translate(task.trained(), sources, {.num_beams = 3, .max_new_tokens = 20});
  EXPECT_EQ(together[1].text, "");
  EXPECT_TRUE(together[1].ids.empty());
  for (size_t i = 0; i < sources.size(); ++i) {
    const auto alone =
        translate(task.trained(), {sources[i]}, {.num_beams = 3, .max_new_tokens = 20});
    EXPECT_EQ(alone[0].ids, together[i].ids) << i;
    EXPECT_NEAR(alone[0].score, together[i].score, 1e-5) << i;
  }
}

TEST(SequenceToSequence, OneBeamTakesTheLikeliest) {
  SequenceToSequence task = task_of(small_sequence_to_sequence());
  train(task, 20);
  const models::TrainedEncoderDecoder& trained = task.trained();
  const auto greedy = translate(trained, kSources, {.num_beams = 1, .max_new_tokens = 12});
  const c10::AutoGradMode no_gradients(false);
  for (size_t i = 0; i < kSources.size(); ++i) {
    const auto source = source_ids(trained, kSources[i]);
    const at::Tensor read =
        at::tensor(std::vector<int64_t>(source.begin(), source.end()), at::kLong).unsqueeze(0);
    std::vector<int64_t> ids = {*trained.target->id_of("<s>")};
    double log_probability = 0;
    while (ids.size() < 13) {
      const at::Tensor logits =
          trained.model->forward({.ids = read}, {.ids = at::tensor(ids, at::kLong).unsqueeze(0)});
      const at::Tensor next = logits[0][-1].log_softmax(0);
      ids.push_back(next.argmax().item<int64_t>());
      log_probability += next.max().item<double>();
      if (ids.back() == *trained.target->id_of("</s>")) break;
    }
    ids.erase(ids.begin());
    if (ids.back() == *trained.target->id_of("</s>")) ids.pop_back();
    EXPECT_EQ(greedy[i].ids, ids) << i;
    EXPECT_NEAR(greedy[i].log_probability, log_probability, 1e-4) << i;
  }
}

TEST(SequenceToSequence, WhatIsTooLongIsCut) {
  SequenceToSequence task = task_of(small_sequence_to_sequence());
  task.module().eval();
  std::string text;
  for (int i = 0; i < 40; ++i) text += "one two ";
  const auto ids = source_ids(task.trained(), text);
  EXPECT_EQ(ids.size(), 24U);
  EXPECT_EQ(ids.back(), *task.trained().source->id_of("</s>"));
  const data::ParallelData data{.file = "long", .pairs = {{text, text, 1}}};
  EXPECT_EQ(metric(target_loss(task.trained(), data), "tokens"), 24);
  EXPECT_LE(translate(task.trained(), {text})[0].ids.size(), 24U);
  const CutTexts cut = cut_translations(task.trained(), {{.ids = {1, 2, 3}}, {.ids = {1, 2}}},
                                        {.max_new_tokens = 3});
  EXPECT_EQ(cut.warnings(),
            std::vector<std::string>{"1 of 2 answers have more than 3 tokens and end there "
                                     "unfinished"});
}

TEST(SequenceToSequence, TokenizersByName) {
  const data::ParallelData train = numbers(60, 1);
  const PairTokenizers shared = tokenizers_for(train, {.tokenizer = "bpe:50"});
  EXPECT_EQ(shared.source, shared.target);
  EXPECT_LE(shared.source->size(), 50);
  EXPECT_EQ(shared.source->decode(shared.source->encode_ids("fünf eins")), "fünf eins");
  const PairTokenizers apart =
      tokenizers_for(train, {.tokenizer = "characters", .target_tokenizer = "bpe:40"});
  EXPECT_NE(apart.source, apart.target);
  EXPECT_EQ(apart.source->decode(apart.source->encode_ids("two four")), "two four");
  EXPECT_THROW(tokenizers_for(train, {.tokenizer = "bpe:4"}), UsageError);
  EXPECT_THROW(tokenizers_for(train, {.tokenizer = "bpe:x"}), UsageError);
  EXPECT_THROW(tokenizers_for(train, {.tokenizer = "no/such/file.json"}), MissingInputError);
}

TEST(SequenceToSequence, LowercaseLearnsNoCapitals) {
  data::ParallelData train = numbers(60, 1);
  for (data::TextPair& pair : train.pairs) pair.source[0] = 'T';
  const auto made = tokenizers_for(train, {.tokenizer = "bpe:50", .lowercase = true});
  EXPECT_EQ(made.source->encode_ids("Two"), made.source->encode_ids("two"));
}

TEST(SequenceToSequence, RefusesWhatCannotBe) {
  SequenceToSequenceOptions options = small_sequence_to_sequence();
  options.label_smoothing = 1;
  EXPECT_THROW(task_of(options), UsageError);
  options = small_sequence_to_sequence();
  options.watched = "accuracy";
  EXPECT_THROW(task_of(options), UsageError);
  const data::ParallelData train = numbers(9, 1);
  EXPECT_THROW(SequenceToSequence(train, {}, tokenizers_for(train, {.tokenizer = "bpe:40"}),
                                  small_sequence_to_sequence()),
               UsageError);
}

}  // namespace
}  // namespace heed::tasks
