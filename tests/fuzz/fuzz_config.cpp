// config.json of a model directory. The first byte chooses the kind of model; the rest takes the
// place of the config.json of a small model of that kind.
#include <array>
#include <functional>
#include <memory>

#include "heed/models/files/encoder_decoder_files.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/models/files/language_model_files.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/files/recommender_files.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/models/files/token_tagger_files.h"
#include "heed/text/builders/word_level_builder.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::models;
constexpr size_t kKinds = 8;

using TokenizerPointer = std::shared_ptr<const text::Tokenizer>;

TokenizerPointer small_tokenizer() {
  text::WordLevelBuilder builder({.special_tokens = {"[PAD]", "[UNK]", "<s>", "</s>"}});
  builder.add("a b c");
  return std::make_shared<const text::Tokenizer>(builder.build());
}

TransformerOptions small() {
  return {.d_model = 8, .num_heads = 2, .num_layers = 1, .d_ff = 8, .max_length = 16};
}

void save_language_model(const std::filesystem::path& folder) {
  TrainedLanguageModel trained;
  trained.tokenizer = small_tokenizer();
  trained.model = std::make_shared<LanguageModel>(
      LanguageModelOptions{.vocab_size = trained.tokenizer->size(), .transformer = small()});
  save(trained, folder);
}

void save_classifier(const std::filesystem::path& folder) {
  TrainedTextClassifier trained;
  trained.tokenizer = small_tokenizer();
  trained.labels = {"no", "yes"};
  trained.model = std::make_shared<TextClassifier>(TextClassifierOptions{
      .vocab_size = trained.tokenizer->size(), .classes = 2, .transformer = small()});
  save(trained, folder);
}

void save_encoder_decoder(const std::filesystem::path& folder) {
  TrainedEncoderDecoder trained;
  trained.source = trained.target = small_tokenizer();
  trained.model = std::make_shared<EncoderDecoder>(
      EncoderDecoderOptions{.source_vocab_size = trained.source->size(),
                            .target_vocab_size = trained.target->size(),
                            .transformer = small()});
  save(trained, folder);
}

void save_question_answerer(const std::filesystem::path& folder) {
  TrainedQuestionAnswerer trained;
  trained.tokenizer = small_tokenizer();
  trained.labels = {"no", "yes"};
  trained.model = std::make_shared<QuestionAnswerer>(QuestionAnswererOptions{
      .vocab_size = trained.tokenizer->size(), .classes = 2, .transformer = small()});
  save(trained, folder);
}

void save_tagger(const std::filesystem::path& folder) {
  TrainedTokenTagger trained;
  trained.tokenizer = trained.characters = small_tokenizer();
  WordEncoderOptions words{.subword_vocab_size = trained.tokenizer->size(),
                           .subword_dim = 8,
                           .character_vocab_size = trained.characters->size(),
                           .character_dim = 8,
                           .num_character_heads = 2,
                           .shape_dim = 2};
  trained.model = std::make_shared<TokenTagger>(
      TokenTaggerOptions{.types = {"loc"}, .words = words, .transformer = small()});
  save(trained, folder);
}

void save_forecaster(const std::filesystem::path& folder) {
  ForecasterOptions options{.context_length = 8,
                            .horizon = 2,
                            .patch_length = 4,
                            .patch_stride = 4,
                            .num_series = 1,
                            .transformer = small()};
  save({.model = std::make_shared<Forecaster>(options),
        .series = {"a"},
        .covariates = {},
        .means = {0},
        .deviations = {1}},
       folder);
}

void save_graph_classifier(const std::filesystem::path& folder) {
  GraphClassifierOptions options{.num_features = 1, .num_classes = 2, .d_model = 8, .num_heads = 2};
  save({.model = std::make_shared<GraphClassifier>(options),
        .labels = {"no", "yes"},
        .features = {{.name = "a"}}},
       folder);
}

void save_recommender(const std::filesystem::path& folder) {
  RecommenderOptions options{.num_items = 2, .transformer = small()};
  save({.model = std::make_shared<Recommender>(options), .items = {"a", "b"}, .counts = {1, 1}},
       folder);
}

struct Kind {
  std::function<void(const std::filesystem::path&)> save;
  std::function<void(const std::filesystem::path&)> load;
};

const std::array<Kind, kKinds>& kinds() {
  static const std::array<Kind, kKinds> all = {{
      {save_language_model, [](const auto& folder) { load_language_model(folder); }},
      {save_classifier, [](const auto& folder) { load_text_classifier(folder); }},
      {save_encoder_decoder, [](const auto& folder) { load_encoder_decoder(folder); }},
      {save_question_answerer, [](const auto& folder) { load_question_answerer(folder); }},
      {save_tagger, [](const auto& folder) { load_token_tagger(folder); }},
      {save_forecaster, [](const auto& folder) { load_forecaster(folder); }},
      {save_graph_classifier, [](const auto& folder) { load_graph_classifier(folder); }},
      {save_recommender, [](const auto& folder) { load_recommender(folder); }},
  }};
  return all;
}

}  // namespace

void one(std::string_view input) {
  static const std::array<ScratchFile, kKinds> files = {
      ScratchFile("lm"),    ScratchFile("classifier"), ScratchFile("seq2seq"),
      ScratchFile("qa"),    ScratchFile("ner"),        ScratchFile("forecast"),
      ScratchFile("graph"), ScratchFile("recommend")};
  static const bool saved = [] {
    for (size_t i = 0; i < files.size(); ++i) kinds()[i].save(files[i].path());
    return true;
  }();
  expect(saved);
  if (input.empty()) return;
  const size_t kind = static_cast<uint8_t>(input.front()) % files.size();
  std::ofstream(files[kind].path() / "config.json", std::ios::trunc) << input.substr(1);
  kinds()[kind].load(files[kind].path());
}

}  // namespace heed::fuzz
