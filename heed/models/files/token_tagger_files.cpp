#include "heed/models/files/token_tagger_files.h"

#include <set>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/transformer_files.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_token_tagger";

OrderedJson config_json(const TokenTagger& model) {
  const TokenTaggerOptions& o = model.options();
  const WordEncoderOptions& w = o.words;
  OrderedJson config = {
      {"architectures", {"TokenTagger"}},
      {"model_type", kModelType},
      {"task", "ner"},
      {"tag_scheme", text::name_of(o.scheme)},
      {"entity_types", o.types},
      {"output", o.output},
      {"vocab_size", w.subword_vocabulary},
      {"pad_token_id", w.subword_padding},
      {"subword_size", w.subword_width},
      {"character_vocab_size", w.character_vocabulary},
      {"character_pad_token_id", w.character_padding},
      {"character_size", w.character_width},
      {"character_attention_heads", w.character_heads},
      {"character_hidden_layers", w.character_layers},
      {"max_word_characters", w.longest_word},
      {"shape_size", w.shape_width},
      {"character_score", w.score},
      {"character_dropout_prob", w.dropout},
      {"torch_dtype", "float32"},
  };
  config.update(labels_json(model.tags()));
  config.update(transformer_json(o.transformer));
  return config;
}

std::vector<std::string> types_from(const JsonValue& config) {
  const JsonValue field = config.at("entity_types");
  std::vector<std::string> types = field.strings();
  const std::set<std::string> sorted(types.begin(), types.end());
  if (types.empty() || std::vector<std::string>(sorted.begin(), sorted.end()) != types) {
    field.fail("types of entities, sorted and each once");
  }
  return types;
}

TokenTaggerOptions options_from(const JsonValue& config) {
  constexpr int64_t kLarge = 1 << 24;
  const auto whole = [&](const char* name, int64_t least) {
    return config.at(name).integer({.least = least, .most = kLarge});
  };
  using text::TagScheme;
  return {
      .types = types_from(config),
      .scheme = config.at("tag_scheme")
                    .one_of<TagScheme>({{"iob1", TagScheme::kIob1},
                                        {"bio", TagScheme::kBio},
                                        {"bioes", TagScheme::kBioes}}),
      .words = {.subword_vocabulary = whole("vocab_size", 1),
                .subword_padding = whole("pad_token_id", 0),
                .subword_width = whole("subword_size", 0),
                .character_vocabulary = whole("character_vocab_size", 1),
                .character_padding = whole("character_pad_token_id", 0),
                .character_width = whole("character_size", 0),
                .character_heads = whole("character_attention_heads", 1),
                .character_layers =
                    config.at("character_hidden_layers").integer({.least = 1, .most = 1000}),
                .longest_word = whole("max_word_characters", 2),
                .shape_width = whole("shape_size", 0),
                .score = config.at("character_score").string(),
                .dropout = config.at("character_dropout_prob").number({.least = 0, .most = 0.999})},
      .transformer = transformer_from(config),
      .output = config.at("output").string(),
  };
}

void check_against_weights(const WeightCheck& check, const TokenTaggerOptions& options) {
  const TransformerOptions& o = options.transformer;
  const WordEncoderOptions& w = options.words;
  check.shape("input.weight", {o.width, width_of(w)}, "hidden_size");
  const auto tags = static_cast<int64_t>(text::all_tags(options.types, options.scheme).size());
  check.shape("output.weight", {tags, o.width}, "entity_types");
  if (w.subword_width > 0) {
    check.shape("words.subwords.weight", {w.subword_vocabulary, w.subword_width}, "vocab_size");
  }
  if (w.character_width > 0) {
    check.shape("words.characters.embedding.weight", {w.character_vocabulary, w.character_width},
                "character_vocab_size");
    check.shape("words.characters.encoder.layer_0.attention.relative_table",
                {w.character_heads, 2 * w.longest_word + 1}, "max_word_characters");
    check.present(text_of("words.characters.encoder.layer_", w.character_layers - 1,
                          ".feed_forward.down.weight"));
  }
  if (o.attention.positions == "learned") {
    check.shape("positions.table", {o.longest, o.width}, "max_position_embeddings");
  }
  check.stack("encoder", o);
}

std::shared_ptr<const text::Tokenizer> tokenizer_of(const ModelDirectory& files,
                                                    const SizedTokenizer& file) {
  auto tokenizer = files.tokenizer(file);
  if (!tokenizer->padding_id() || !tokenizer->unknown_id()) {
    throw DataError((files.path() / file.name).string(),
                    "expected a token for padding and one for unknown words");
  }
  return tokenizer;
}

}  // namespace

WordReader TrainedTokenTagger::reader() const {
  return WordReader(tokenizer, characters, {.characters = model->options().words.longest_word});
}

void save(const TrainedTokenTagger& trained, const std::filesystem::path& directory) {
  save_model({.config = config_json(*trained.model),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()},
                             {.name = kCharactersFile, .tokenizer = trained.characters.get()}}},
             directory);
}

TrainedTokenTagger load_token_tagger(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kModelType);
  const TokenTaggerOptions options = options_from(files.config());
  TrainedTokenTagger trained;
  trained.tokenizer = tokenizer_of(files, {});
  trained.characters =
      tokenizer_of(files, {.name = kCharactersFile, .size = "character_vocab_size"});
  trained.model = files.model<TokenTagger>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
