// config.json of a model directory. The first byte chooses the kind of model, 'a' the first of
// kinds(); the rest takes the place of the config.json of a small model of that kind.
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/encoder_decoder_files.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/models/files/image_classifier_files.h"
#include "heed/models/files/image_generator_files.h"
#include "heed/models/files/language_model_files.h"
#include "heed/models/files/object_detector_files.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/files/recommender_files.h"
#include "heed/models/files/speech_classifier_files.h"
#include "heed/models/files/speech_recognizer_files.h"
#include "heed/models/files/table_transformer_files.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/models/files/token_tagger_files.h"
#include "heed/text/builders/word_level_builder.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::models;

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

void save_link_predictor(const std::filesystem::path& folder) {
  GraphClassifierOptions options{.num_features = 1, .num_classes = 4, .d_model = 8, .num_heads = 2};
  save({.model = std::make_shared<GraphClassifier>(options),
        .labels = {},
        .features = {{.name = "a"}}},
       folder);
}

void save_image_classifier(const std::filesystem::path& folder) {
  ImageClassifierOptions options{
      .image_height = 8, .image_width = 8, .num_classes = 2, .transformer = small()};
  save({.model = std::make_shared<ImageClassifier>(options),
        .labels = {"no", "yes"},
        .pixel_means = {0.5},
        .pixel_deviations = {0.25}},
       folder);
}

void save_object_detector(const std::filesystem::path& folder) {
  ObjectDetectorOptions options{.image_height = 8,
                                .image_width = 8,
                                .num_classes = 2,
                                .patch_size = 4,
                                .num_queries = 2,
                                .num_decoder_layers = 1,
                                .transformer = small()};
  save({.model = std::make_shared<ObjectDetector>(options),
        .labels = {"no", "yes"},
        .category_ids = {1, 2},
        .pixel_means = {0.5},
        .pixel_deviations = {0.25}},
       folder);
}

void save_image_generator(const std::filesystem::path& folder) {
  ImageGeneratorOptions options{.image_height = 4,
                                .image_width = 4,
                                .num_classes = 2,
                                .levels = 2,
                                .codebook_size = 16,
                                .transformer = small()};
  save(TrainedImageGenerator{.model = std::make_shared<ImageGenerator>(options),
                             .labels = {"no", "yes"}},
       folder);
}

void save_recommender(const std::filesystem::path& folder) {
  RecommenderOptions options{.num_items = 2, .transformer = small()};
  save({.model = std::make_shared<Recommender>(options), .items = {"a", "b"}, .counts = {1, 1}},
       folder);
}

SpeechOptions small_speech() {
  return {.num_mel_bins = 2, .num_channels = 2, .kernel_size = 3, .transformer = small()};
}

const FrameScale kScale = {.means = {-3.5, 0}, .deviations = {1, 2}};

void save_speech_classifier(const std::filesystem::path& folder) {
  SpeechClassifierOptions options{.num_classes = 2, .speech = small_speech()};
  save({.model = std::make_shared<SpeechClassifier>(options),
        .labels = {"no", "yes"},
        .scale = kScale},
       folder);
}

void save_speech_recognizer(const std::filesystem::path& folder) {
  SpeechRecognizerOptions options{.num_tokens = 3, .speech = small_speech()};
  save({.model = std::make_shared<SpeechRecognizer>(options),
        .tokens = {"", "a", "b"},
        .scale = kScale},
       folder);
}

void save_table(const std::filesystem::path& folder) {
  TableTransformerOptions options{.num_numbers = 1,
                                  .num_categories = 1,
                                  .num_category_vectors = 4,
                                  .num_outputs = 2,
                                  .num_bins = 2,
                                  .transformer = small()};
  options.transformer.attention.positions = "none";
  save({.model = std::make_shared<TableTransformer>(options),
        .columns = {{.name = "n", .values = {0, 1}, .scores = {-1, 1}, .bins = {0, 0.5, 1}},
                    {.name = "c", .is_category = true, .categories = {"x", "y"}}},
        .target = "y",
        .labels = {"no", "yes"},
        .missing_values = {"?"}},
       folder);
}

struct Kind {
  std::string name;
  std::function<void(const std::filesystem::path&)> save;
  std::function<void(const std::filesystem::path&)> load;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"lm", save_language_model, [](const auto& folder) { load_language_model(folder); }},
      {"classify", save_classifier, [](const auto& folder) { load_text_classifier(folder); }},
      {"seq2seq", save_encoder_decoder, [](const auto& folder) { load_encoder_decoder(folder); }},
      {"qa", save_question_answerer, [](const auto& folder) { load_question_answerer(folder); }},
      {"ner", save_tagger, [](const auto& folder) { load_token_tagger(folder); }},
      {"forecast", save_forecaster, [](const auto& folder) { load_forecaster(folder); }},
      {"graph", save_graph_classifier, [](const auto& folder) { load_graph_classifier(folder); }},
      {"recommend", save_recommender, [](const auto& folder) { load_recommender(folder); }},
      {"speech", save_speech_classifier,
       [](const auto& folder) { load_speech_classifier(folder); }},
      {"asr", save_speech_recognizer, [](const auto& folder) { load_speech_recognizer(folder); }},
      {"table", save_table, [](const auto& folder) { load_table_transformer(folder); }},
      {"links", save_link_predictor, [](const auto& folder) { load_link_predictor(folder); }},
      {"image", save_image_classifier, [](const auto& folder) { load_image_classifier(folder); }},
      {"detect", save_object_detector, [](const auto& folder) { load_object_detector(folder); }},
      {"image-generation", save_image_generator,
       [](const auto& folder) { load_image_generator(folder); }},
  };
  return all;
}

// The model of each kind, saved.
const std::deque<ScratchFile>& saved_models() {
  static const std::deque<ScratchFile> all = [] {
    std::deque<ScratchFile> files;
    for (const Kind& kind : kinds()) kind.save(files.emplace_back(kind.name).path());
    return files;
  }();
  return all;
}

}  // namespace

void one(std::string_view input) {
  if (input.empty()) return;
  const size_t kind = static_cast<uint8_t>(input.front() - 'a') % kinds().size();
  const std::filesystem::path& folder = saved_models()[kind].path();
  std::ofstream(folder / "config.json", std::ios::trunc) << input.substr(1);
  kinds()[kind].load(folder);
}

}  // namespace heed::fuzz
