#include "heed/models/text_classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::models {
namespace {

TextClassifierOptions small_text_classifier(bool norm_first) {
  return {.vocab_size = 20,
          .classes = 3,
          .transformer = {.d_model = 16,
                          .num_heads = 4,
                          .num_layers = 2,
                          .d_ff = 32,
                          .max_length = 40,
                          .activation = "relu",
                          .norm_first = norm_first,
                          .init = "xavier_uniform"}};
}

std::shared_ptr<TextClassifier> evaluated(bool norm_first) {
  at::manual_seed(11);
  auto model = std::make_shared<TextClassifier>(small_text_classifier(norm_first));
  model->eval();
  return model;
}

TEST(TextClassifier, PaddingChangesNothing) {
  for (const bool norm_first : {false, true}) {
    const auto model = evaluated(norm_first);
    for (const int64_t length : {1, 2, 7, 17, 33}) {
      const at::Tensor ids = at::randint(2, 20, {1, length}, at::kLong);
      const at::Tensor lengths = at::tensor({length}, at::kLong);
      const at::Tensor alone = model->forward({.ids = ids, .lengths = lengths});
      for (const int64_t padding : {1, 6}) {
        // Not only the padding id: what stands there must not matter at all.
        const at::Tensor rest = at::randint(0, 20, {1, padding}, at::kLong);
        const at::Tensor padded =
            model->forward({.ids = at::cat({ids, rest}, 1), .lengths = lengths});
        EXPECT_LT((alone - padded).abs().max().item<double>(), 2e-6) << length << '+' << padding;
      }
    }
  }
}

TEST(TextClassifier, EachRowOfABatchIsThatOfTheTextAlone) {
  const auto model = evaluated("post");
  const at::Tensor ids = at::randint(2, 20, {3, 9}, at::kLong);
  const at::Tensor lengths = at::tensor({9, 4, 0}, at::kLong);
  const at::Tensor together = model->forward({.ids = ids, .lengths = lengths});
  for (int64_t b = 0; b < 3; ++b) {
    const at::Tensor alone =
        model->forward({.ids = ids.slice(0, b, b + 1), .lengths = lengths.slice(0, b, b + 1)});
    EXPECT_LT((alone[0] - together[b]).abs().max().item<double>(), 2e-6) << b;
  }
}

TEST(TextClassifier, GradientsReachEveryParameter) {
  at::manual_seed(11);
  TextClassifier model(small_text_classifier("pre"));
  const at::Tensor ids = at::randint(2, 20, {4, 9}, at::kLong);
  model.forward({.ids = ids, .lengths = at::full({4}, 9, at::kLong)}).pow(2).sum().backward();
  for (const auto& item : model.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<double>(), 0) << item.key();
  }
}

TEST(TextClassifier, RefusesOptionsThatCannotBe) {
  auto refused = [](auto change) {
    TextClassifierOptions options = small_text_classifier("post");
    change(options);
    EXPECT_THROW(check(options), UsageError);
  };
  refused([](auto& o) { o.transformer.num_heads = 3; });
  refused([](auto& o) { o.classes = 0; });
  refused([](auto& o) { o.transformer.num_layers = 0; });
  refused([](auto& o) { o.transformer.dropout = 1; });
  refused([](auto& o) { o.pad_token_id = 20; });
}

class TextClassifierFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    text::WordLevelBuilder builder;
    builder.add("a few words to know , and no more");
    auto tokenizer = std::make_shared<const text::Tokenizer>(builder.build());
    at::manual_seed(11);
    TextClassifierOptions options = small_text_classifier("post");
    options.vocab_size = tokenizer->size();
    trained_ = {.model = std::make_shared<TextClassifier>(options),
                .tokenizer = tokenizer,
                .labels = {"bad", "good", "no \"idea\""}};
    trained_.model->eval();
    save(trained_, directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void replace(const char* file, const std::string& from, const std::string& to) const {
    std::ifstream in(directory_ / file);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text;
    text.replace(at, from.size(), to);
    std::ofstream(directory_ / file) << text;
  }

  std::string refusal() const {
    try {
      load_text_classifier(directory_);
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("heed-classifier-" + std::to_string(::getpid()));
  TrainedTextClassifier trained_;
};

TEST_F(TextClassifierFiles, ComeBackAsTheyWere) {
  const TrainedTextClassifier loaded = load_text_classifier(directory_);
  EXPECT_EQ(loaded.labels, trained_.labels);
  const auto ids = loaded.tokenizer->encode_ids("no more words");
  EXPECT_EQ(ids, trained_.tokenizer->encode_ids("no more words"));
  const TextBatch batch{.ids = at::randint(2, 8, {2, 5}, at::kLong),
                        .lengths = at::tensor({5, 3}, at::kLong)};
  EXPECT_TRUE(at::equal(loaded.model->forward(batch), trained_.model->forward(batch)));
}

// Every field at another value than its default, and back.
TEST_F(TextClassifierFiles, KeepTheSettingsOfAttention) {
  TextClassifierOptions options = trained_.model->options();
  options.transformer.attention = {.score = "additive",
                                   .pattern = "window:3:2|global:1",
                                   .positions = "relative",
                                   .softcap = 20,
                                   .num_key_value_heads = 2,
                                   .rope_theta = 500,
                                   .max_relative_positions = 7};
  options.transformer.norm = "rms";
  options.transformer.activation = "swiglu";
  options.transformer.bias = false;
  trained_.model = std::make_shared<TextClassifier>(options);
  trained_.model->eval();
  save(trained_, directory_);
  const TrainedTextClassifier loaded = load_text_classifier(directory_);
  const nn::AttentionSettings& back = loaded.model->options().transformer.attention;
  EXPECT_EQ(back.score, "additive");
  EXPECT_EQ(back.pattern, "window:3:2|global:1");
  EXPECT_EQ(back.positions, "relative");
  EXPECT_EQ(back.softcap, 20);
  EXPECT_EQ(back.num_key_value_heads, 2);
  EXPECT_EQ(back.rope_theta, 500);
  EXPECT_EQ(back.max_relative_positions, 7);
  EXPECT_EQ(loaded.model->options().transformer.norm, "rms");
  EXPECT_FALSE(loaded.model->options().transformer.bias);
  const TextBatch batch{.ids = at::randint(2, 8, {2, 9}, at::kLong),
                        .lengths = at::tensor({9, 3}, at::kLong)};
  EXPECT_TRUE(at::equal(loaded.model->forward(batch), trained_.model->forward(batch)));
  replace("config.json", "\"max_relative_positions\": 7", "\"max_relative_positions\": 70000");
  EXPECT_NE(refusal().find("max_relative_positions"), std::string::npos) << refusal();
}

// A config of before there were settings has none of their fields.
TEST_F(TextClassifierFiles, OfBeforeThereWereSettingsAreRead) {
  const Json fields = Json::parse(json_text(with_fields({}, nn::AttentionSettings())));
  const JsonValue config = read_json(directory_ / "config.json", {.max_bytes = 1 << 20});
  Json old = config.json();
  for (const auto& [name, value] : fields.items()) EXPECT_EQ(old.erase(name), 1U) << name;
  old.erase("norm");
  old.erase("bias");
  std::ofstream(directory_ / "config.json") << old;
  const TrainedTextClassifier loaded = load_text_classifier(directory_);
  const TextBatch batch{.ids = at::randint(2, 8, {2, 9}, at::kLong),
                        .lengths = at::tensor({9, 3}, at::kLong)};
  EXPECT_TRUE(at::equal(loaded.model->forward(batch), trained_.model->forward(batch)));
}

TEST_F(TextClassifierFiles, WrongFieldsAreNamed) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"num_heads\": 4", "\"num_heads\": \"four\""}, "num_heads"},
      {{"\"num_heads\": 4", "\"num_heads\": 5"}, "num_heads"},
      {{"\"d_model\": 16", "\"d_model\": 16777216"}, "vocab_size"},
      {{"\"d_ff\": 32", "\"d_ff\": 64"}, "d_ff"},
      {{"\"num_layers\": 2", "\"num_layers\": 3"}, "layer_2"},
      {{"\"num_layers\": 2", "\"num_layers\": 1"}, "layer_1"},
      {{"\"norm_first\": true", "\"norm_first\": 0"}, "norm_first"},
      {{"single_label", "any_label"}, "problem_type"},
      {{"\"softcap\": 0.0", "\"softcap\": 1e39"}, "softcap"},
      {{"\"softcap\": 0.0", "\"softcap\": 1e-39"}, "softcap"},
      {{"\"rope_theta\": 10000.0", "\"rope_theta\": 1e300"}, "rope_theta"},
      {{"\"heed_text_classifier\"", "\"resnet\""}, "model_type"},
      {{"\"heed_text_classifier\"", "\"bert\""}, "architectures"},
      {{"\"good\"", "\"bad\""}, "id2label"},
  };
  for (const auto& [change, expected] : cases) {
    SetUp();
    replace("config.json", change.first, change.second);
    EXPECT_NE(refusal().find(expected), std::string::npos) << change.second << ": " << refusal();
  }
}

TEST_F(TextClassifierFiles, ClaimNoMemoryForTextsThatDoNotCome) {
  replace("config.json", "\"max_length\": 40", "\"max_length\": 16777216");
  EXPECT_EQ(load_text_classifier(directory_).model->options().transformer.max_length, 16'777'216);
}

TEST_F(TextClassifierFiles, WithNumbersThatAreNotFiniteAreRefusedByTensor) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const c10::AutoGradMode no_gradients(false);
    at::Tensor weight = trained_.model->named_parameters()["classifier.weight"];
    weight[0][1] = bad;
    save(trained_, directory_);
    EXPECT_NE(refusal().find("'classifier.weight': expected finite numbers"), std::string::npos)
        << refusal();
    weight[0][1] = 3e38;
    weight[0][0] = 3e38;  // their sum overflows
    save(trained_, directory_);
    EXPECT_EQ(refusal(), "accepted");
  }
}

// What can be written can be read, and nothing else.
TEST(TextClassifierOptions, HaveOneRangeForWritingAndReading) {
  const std::pair<const char*, std::function<void(TransformerOptions&)>> cases[] = {
      {"dropout", [](TransformerOptions& o) { o.dropout = 0.9995; }},
      {"attention_dropout", [](TransformerOptions& o) { o.attention_dropout = -0.1; }},
      {"embedding_dropout", [](TransformerOptions& o) { o.embedding_dropout = std::nan(""); }},
      {"num_layers", [](TransformerOptions& o) { o.num_layers = 1001; }},
      {"max_length", [](TransformerOptions& o) { o.max_length = (1 << 24) + 1; }},
      {"softcap", [](TransformerOptions& o) { o.attention.softcap = 1e39; }},
      {"rope_theta", [](TransformerOptions& o) { o.attention.rope_theta = 1e13; }},
      {"max_relative_positions",
       [](TransformerOptions& o) { o.attention.max_relative_positions = 1 << 21; }},
  };
  for (const auto& [name, change] : cases) {
    TextClassifierOptions options = small_text_classifier("post");
    change(options.transformer);
    try {
      check(options);
      ADD_FAILURE() << name;
    } catch (const UsageError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(std::string(name) + ": expected"))
          << error.what();
    }
  }
}

TEST_F(TextClassifierFiles, KeepSeveralLabelsAndDocuments) {
  TextClassifierOptions options = trained_.model->options();
  options.documents = "lines";
  options.max_sentences = 5;
  options.num_sentence_layers = 2;
  trained_.model = std::make_shared<TextClassifier>(options);
  trained_.model->eval();
  trained_.label_separator = "; ";
  trained_.thresholds = {0.25, 0.1, 1. / 3};
  save(trained_, directory_);
  const TrainedTextClassifier loaded = load_text_classifier(directory_);
  EXPECT_TRUE(has_several_labels(loaded));
  EXPECT_EQ(loaded.label_separator, "; ");
  EXPECT_EQ(loaded.thresholds, trained_.thresholds);
  EXPECT_EQ(loaded.model->options().documents, "lines");
  EXPECT_EQ(loaded.model->options().max_sentences, 5);
  EXPECT_EQ(loaded.model->options().num_sentence_layers, 2);
  const DocumentBatch batch{.rows = {.ids = at::randint(2, 8, {3, 9}, at::kLong),
                                     .lengths = at::tensor({9, 3, 4}, at::kLong)},
                            .sentences = at::tensor({2, 1}, at::kLong)};
  EXPECT_TRUE(at::equal(loaded.model->forward(batch), trained_.model->forward(batch)));

  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"0.25", "1.25"}, "label_thresholds[0]"},
      {{"0.25,", ""}, "label_thresholds"},
      {{"\"; \"", "\"\""}, "label_separator"},
      {{"\"lines\"", "\"pages\""}, "documents"},
      {{"\"max_sentences\": 5", "\"max_sentences\": 0"}, "max_sentences"},
      {{"\"num_sentence_layers\": 2", "\"num_sentence_layers\": 3"}, "layer_2"},
  };
  for (const auto& [change, expected] : cases) {
    save(trained_, directory_);
    replace("config.json", change.first, change.second);
    EXPECT_NE(refusal().find(expected), std::string::npos) << change.second << ": " << refusal();
  }
}

TEST_F(TextClassifierFiles, AMissingDirectoryIsMissingInput) {
  EXPECT_THROW(load_text_classifier(directory_ / "nowhere"), MissingInputError);
}

TEST_F(TextClassifierFiles, OnlyAModelIsReplaced) {
  EXPECT_NO_THROW(check_replaceable_model(directory_));
  std::ofstream(directory_ / "diary.txt") << "dear diary";
  EXPECT_THROW(check_replaceable_model(directory_), UsageError);
}

}  // namespace
}  // namespace heed::models
