// Gradient × attention of tasks whose views hold weights, or are of no text, by finite differences.
//
// Where the output of a head is made larger by a factor 1 + ε, the score changes by
// ε · Σ output · ∂score/∂output = ε · Σ weight · ∂score/∂weight, over all queries and keys; and it
// is made larger by the columns of the output projection that read it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heed/audio/testing/tone.h"
#include "heed/cli/attention_page.h"
#include "heed/cli/task_kind.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/files/recommender_files.h"
#include "heed/models/files/speech_classifier_files.h"
#include "heed/models/files/speech_recognizer_files.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/models/testing/test_models.h"
#include "heed/models/testing/test_speech.h"
#include "heed/nn/attention/attention_pooling.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::cli {
namespace {

using models::small_transformer;

constexpr double kStep = 0.02;

std::shared_ptr<const text::Tokenizer> small_words() {
  text::WordLevelBuilder builder;
  builder.add("mary john went to the garden office where is now in at noon . ?");
  return std::make_shared<const text::Tokenizer>(builder.build());
}

// A model of `Trained` with its own save() and what it is asked.
template <typename Trained>
class Examined {
 public:
  Examined(Trained trained, std::string input, AttentionRequest request = {})
      : trained_(std::move(trained)), input_(std::move(input)), request_(std::move(request)) {
    models::spread_parameters(*trained_.model);
    trained_.model->eval();
    request_.gradients = true;
  }

  void give(const std::string& option, const std::string& value) { given_[option] = value; }

  AttentionView attend() const {
    const test::Folder folder;
    models::save(trained_, folder / "model");
    AnyTask task;
    Options options("heed attend", "");
    task.choose((folder / "model").string());
    task.add_options(options, Use::kAttend);
    for (const auto& [name, value] : given_) options.give(name, {value});
    return task.load()->attend(input_, request_);
  }

  // How much the score changes, in units of ε, with rows or columns of a parameter 1 + ε as large.
  double change(at::Tensor part) const {
    const auto after = [&](double factor) {
      const at::NoGradGuard no_grad;
      const at::Tensor before = part.clone();
      part.mul_(factor);
      const double score = attend().score.template item<double>();
      part.copy_(before);
      return score;
    };
    return (after(1 + kStep) - after(1 - kStep)) / (2 * kStep);
  }

  // The projections that read the heads, one a layer.
  std::vector<at::Tensor> projections() const {
    std::vector<at::Tensor> all;
    for (const auto& each : trained_.model->named_parameters()) {
      if (each.key().ends_with("attention.output.weight")) all.push_back(each.value());
    }
    return all;
  }

  const Trained& trained() const { return trained_; }

 private:
  Trained trained_;
  std::string input_;
  AttentionRequest request_;
  std::map<std::string, std::string> given_;
};

at::Tensor effects_in(const AttentionView& view) {
  if (view.effects.defined()) return view.effects;
  return whole_weights(view.calls, view.score).effects;
}

// `rows`: of the batch that the view shows the mean of.
template <typename Trained>
void expect_effects(const Examined<Trained>& examined, double rows = 1) {
  const AttentionView view = examined.attend();
  ASSERT_TRUE(view.score.defined());
  const at::Tensor effects = effects_in(view).detach();
  const std::vector<at::Tensor> projections = examined.projections();
  ASSERT_EQ(effects.size(0), std::ssize(projections));
  const int64_t heads = effects.size(1);
  double largest = 0;
  for (size_t layer = 0; layer < projections.size(); ++layer) {
    const int64_t size = projections[layer].size(1) / heads;
    for (int64_t head = 0; head < heads; ++head) {
      const double expected =
          examined.change(projections[layer].detach().narrow(1, head * size, size));
      const auto index = static_cast<int64_t>(layer);
      const double found = rows * effects[index][head].sum().template item<double>();
      EXPECT_NEAR(found, expected, 2e-3 + 0.02 * std::abs(expected)) << layer << ' ' << head;
      largest = std::max(largest, std::abs(expected));
    }
  }
  EXPECT_GT(largest, 0.01);  // there is something to see
  const AttentionPage page = attention_page(view, {0}, {0});
  EXPECT_EQ(page.layers.at(0).gradients.size(), page.layers.at(0).heads.values.size());
}

models::QuestionAnswererOptions small_answerer(const std::string& answers) {
  return {.vocab_size = small_words()->size(),
          .answers = answers,
          .classes = answers == "class" ? 2 : 0,
          .units = answers == "class" ? "sentences" : "words",
          .max_unit_length = 8,
          .transformer = small_transformer({.positions = "learned"}),
          .pad_token_id = 0,
          .embedding_std = 0.5};
}

TEST(AttentionEffects, OfAnswersToStories) {
  at::manual_seed(3);
  const models::TrainedQuestionAnswerer trained{
      .model = std::make_shared<models::QuestionAnswerer>(small_answerer("class")),
      .tokenizer = small_words(),
      .labels = {"garden", "office"},
      .spans = {}};
  expect_effects(Examined(trained,
                          R"({"story": ["mary went to the garden", "john is in the office"],
                              "question": "where is mary ?"})",
                          {.part = "all"}));
}

TEST(AttentionEffects, OfAnswersInTexts) {
  at::manual_seed(4);
  const models::TrainedQuestionAnswerer trained{
      .model = std::make_shared<models::QuestionAnswerer>(small_answerer("span")),
      .tokenizer = small_words(),
      .labels = {},
      .spans = {}};
  const Examined all(trained, "mary went to the garden at noon\twhere is mary", {.part = "all"});
  expect_effects(all);
  // What the question gives is a part of it, in the same order.
  const AttentionView whole = all.attend();
  const AttentionView asked =
      Examined(trained, "mary went to the garden at noon\twhere is mary", {.part = "question"})
          .attend();
  EXPECT_EQ(asked.keys, whole.keys);
  EXPECT_EQ(asked.effects.sizes(), asked.weights.sizes());
  EXPECT_EQ(asked.effects.size(2), 3);
}

template <typename Trained, typename Options>
Trained small_listener(Options options) {
  options.speech.num_mel_bins = 20;
  Trained trained;
  trained.model = std::make_shared<typename decltype(trained.model)::element_type>(options);
  trained.scale = {.means = std::vector<double>(20, 0), .deviations = std::vector<double>(20, 5)};
  return trained;
}

class Heard : public testing::Test {
 protected:
  Heard() { test::spill(file_, audio::test::wav(audio::test::tone(16'000, 8000))); }
  test::Folder folder_;
  std::filesystem::path file_ = folder_ / "a.wav";
};
using AttentionEffectsOfSounds = Heard;

TEST_F(AttentionEffectsOfSounds, Classes) {
  at::manual_seed(5);
  auto trained = small_listener<models::TrainedSpeechClassifier>(models::SpeechClassifierOptions{
      .num_classes = 3, .speech = models::small_speech_that_learns(20)});
  trained.labels = {"a", "b", "c"};
  expect_effects(Examined(trained, file_.string()));
}

TEST_F(AttentionEffectsOfSounds, Transcripts) {
  at::manual_seed(6);
  auto trained = small_listener<models::TrainedSpeechRecognizer>(models::SpeechRecognizerOptions{
      .num_tokens = 4, .speech = models::small_speech_that_learns(20)});
  trained.tokens = {"", " ", "a", "b"};
  expect_effects(Examined(trained, file_.string()));
}

TEST(AttentionEffects, OfForecasts) {
  at::manual_seed(7);
  models::ForecasterOptions options{
      .context_length = 20, .horizon = 5, .patch_length = 8, .patch_stride = 4, .num_series = 2};
  options.transformer.num_layers = 2;
  options.transformer.d_ff = 32;
  const models::TrainedForecaster trained{.model = std::make_shared<models::Forecaster>(options),
                                          .series = {"x", "y"},
                                          .covariates = {},
                                          .means = {0, 0},
                                          .deviations = {1, 1}};
  const test::Folder folder;
  std::string rows = "x,y\n";
  for (int i = 0; i < 30; ++i) {
    rows += std::to_string(i * 7 % 11) + ',' + std::to_string(i * 5 % 13) + '\n';
  }
  test::spill(folder / "s.csv", rows);
  expect_effects(Examined(trained, (folder / "s.csv").string()), /*rows=*/2);
}

TEST(AttentionEffects, OfRecommendations) {
  at::manual_seed(8);
  models::RecommenderOptions options{.num_items = 6};
  options.transformer = small_transformer({.positions = "learned"});
  const models::TrainedRecommender trained{.model = std::make_shared<models::Recommender>(options),
                                           .items = {"a", "b", "c", "d", "e", "f"},
                                           .counts = {1, 1, 1, 1, 1, 1},
                                           .columns = {}};
  expect_effects(Examined(trained, "a,c,b,e"));
}

// The last layer makes the node's answer of its own looks alone. What a value is made of are the
// last rows of a projection to query, key and value.
TEST(AttentionEffects, OfNodes) {
  at::manual_seed(9);
  const models::GraphClassifierOptions options{.num_features = 2,
                                               .num_classes = 3,
                                               .d_model = 8,
                                               .num_heads = 2,
                                               .num_output_heads = 2,
                                               .score = "scaled_dot"};
  const models::TrainedGraphClassifier trained{
      .model = std::make_shared<models::GraphClassifier>(options),
      .labels = {"x", "y", "z"},
      .features = {{.name = "one"}, {.name = "two"}},
      .columns = {}};
  const test::Folder folder;
  test::spill(folder / "nodes.csv", "node,one,two\np,0.5,-1\nq,1.5,2\nr,-0.5,0.25\ns,2,1\n");
  test::spill(folder / "edges.csv", "source,target\np,q\nq,r\np,s\n");
  Examined examined(trained, "p");
  examined.give("nodes", (folder / "nodes.csv").string());
  examined.give("edges", (folder / "edges.csv").string());
  const AttentionView view = examined.attend();
  ASSERT_EQ(view.effects.sizes(), at::IntArrayRef({2, 1, 1, 3}));
  at::Tensor projection;
  for (const auto& each : examined.trained().model->named_parameters()) {
    if (each.key() == "projection1.weight") projection = each.value().detach();
  }
  ASSERT_TRUE(projection.defined());
  const double expected = examined.change(projection.slice(0, projection.size(0) * 2 / 3));
  EXPECT_GT(std::abs(expected), 0.01);
  // The view shows the mean over the two heads.
  EXPECT_NEAR(2 * view.effects[1].sum().item<double>(), expected, 2e-3 + 0.02 * std::abs(expected));
}

// A pooled text is Σ weight · state, so that of a score c · text each weight's part is known.
TEST(AttentionEffects, OfPooling) {
  at::manual_seed(10);
  const nn::AttentionPooling pooling(6);
  const at::Tensor states = at::randn({2, 5, 6}), direction = at::randn({6});
  nn::AttentionRecorder recorder;
  at::Tensor weights;
  const at::Tensor lengths = at::tensor({5, 3}, at::kLong);
  const at::Tensor score = pooling.forward(states, lengths, &weights).mv(direction).sum();
  ASSERT_EQ(recorder.pooled.size(), 1U);
  const at::Tensor found = effects_of(recorder.pooled[0], weights.unsqueeze(1).unsqueeze(1),
                                      output_gradients(recorder.pooled, score).front());
  EXPECT_TRUE(at::allclose(found.flatten(1), weights * states.matmul(direction), 1e-4, 1e-5));
}

TEST(AttentionEffects, OfDocuments) {
  at::manual_seed(11);
  models::TextClassifierOptions options;
  options.vocab_size = small_words()->size();
  options.classes = 2;
  options.pad_token_id = 0;
  options.transformer = small_transformer({.positions = "sinusoidal"});
  options.documents = "sentences";
  const models::TrainedTextClassifier trained{
      .model = std::make_shared<models::TextClassifier>(options),
      .tokenizer = small_words(),
      .labels = {"a", "b"}};
  const AttentionView view =
      Examined(trained, "Mary went to the garden at noon. John is in the office.").attend();
  ASSERT_EQ(view.effects.sizes(), view.weights.sizes());
  EXPECT_GT(view.effects.abs().max().item<double>(), 1e-5);
  // A word of another sentence neither weighs nor does anything.
  EXPECT_EQ(view.effects.masked_select(view.weights == 0).abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace heed::cli
