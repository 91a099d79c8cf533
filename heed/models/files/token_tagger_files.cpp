#include "heed/models/files/token_tagger_files.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"
#include "heed/models/published/task_networks.h"

namespace heed::models {
namespace {

constexpr const char* kTokenTaggerType = "heed_token_tagger";

OrderedJson config_json(const TrainedTokenTagger& trained) {
  const TokenTaggerOptions& o = trained.model->options();
  OrderedJson config = {
      {"architectures", {"TokenTagger"}}, {"model_type", kTokenTaggerType}, {"task", "ner"},
      {"entity_types", o.types},          {"torch_dtype", "float32"},
  };
  config.update(labels_json(trained.model->tags()));
  config.update(columns_json(trained.columns));
  return with_fields(std::move(config), o);
}

DataColumns word_column_from(const JsonValue& config) {
  DataColumns columns = columns_from(config);
  const std::string word = column_of(columns, "word");
  if (word.find_first_not_of("0123456789") != word.npos || word.size() > 9 || word == "0") {
    config.at("data_columns").at("word").fail("the number of a column, from 1");
  }
  return columns;
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
  auto options = fields_from<TokenTaggerOptions>(config);
  options.types = types_from(config);
  return options;
}

void check_against_weights(const WeightCheck& check, const TokenTaggerOptions& options) {
  const TransformerOptions& o = options.transformer;
  const WordEncoderOptions& w = options.words;
  check.shape("input.weight", {o.d_model, word_dim(w)}, "d_model");
  const text::TagScheme scheme = text::tag_scheme_named(options.tag_scheme);
  const auto tags = static_cast<int64_t>(text::all_tags(options.types, scheme).size());
  check.shape("output.weight", {tags, o.d_model}, "entity_types");
  if (w.subword_dim > 0) {
    check.shape("words.subwords.weight", {w.subword_vocab_size, w.subword_dim},
                "subword_vocab_size");
  }
  if (w.character_dim > 0) {
    check.shape("words.characters.embedding.weight", {w.character_vocab_size, w.character_dim},
                "character_vocab_size");
    check.shape("words.characters.encoder.layer_0.attention.relative_table",
                {w.num_character_heads, 2 * w.max_word_length + 1}, "max_word_length");
    check.present(text_of("words.characters.encoder.layer_", w.num_character_layers - 1,
                          ".feed_forward.down.weight"));
  }
  check.positions("positions", o);
  check.stack("encoder", o);
}

std::shared_ptr<const text::Tokenizer> padding_tokenizer_of(const ModelDirectory& files,
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
  if (published) {
    return WordReader(tokenizer, published->pad_token_id(), published->transformer().max_length);
  }
  return WordReader(tokenizer, characters, {.characters = model->options().words.max_word_length});
}

void save(const TrainedTokenTagger& trained, const std::filesystem::path& directory) {
  if (trained.published) {
    const OrderedJson fields = columns_json(trained.columns);
    for (const auto& [name, value] : fields.items()) trained.published->set_config(name, value);
    return trained.published->save(directory);
  }
  save_model({.config = config_json(trained),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()},
                             {.name = kCharactersFile, .tokenizer = trained.characters.get()}}},
             directory);
}

TrainedTokenTagger as_token_tagger(const PublishedFiles& files) {
  TrainedTokenTagger trained{
      .model = std::make_shared<published::PublishedTagger>(files.model),
      .tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer.tokenizer),
      .columns = word_column_from(files.model->config().json()),
      .published = files.model};
  trained.model->eval();
  return trained;
}

TrainedTokenTagger load_token_tagger(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_token_tagger(open_published(directory, published::Purpose::kTokenClassification));
  }
  const ModelDirectory files(directory, kTokenTaggerType);
  const TokenTaggerOptions options = options_from(files.config());
  TrainedTokenTagger trained;
  trained.columns = word_column_from(files.config());
  trained.tokenizer = padding_tokenizer_of(files, {.size = "subword_vocab_size"});
  trained.characters =
      padding_tokenizer_of(files, {.name = kCharactersFile, .size = "character_vocab_size"});
  trained.model = files.model<TokenTagger>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
