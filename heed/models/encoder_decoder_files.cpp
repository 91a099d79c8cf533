#include "heed/models/encoder_decoder_files.h"

#include "heed/base/error.h"
#include "heed/models/model_directory.h"
#include "heed/models/transformer_files.h"
#include "heed/models/weights.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_encoder_decoder";

OrderedJson config_json(const TrainedEncoderDecoder& trained) {
  const EncoderDecoderOptions& o = trained.model->options();
  OrderedJson config = {
      {"architectures", {"EncoderDecoder"}},
      {"model_type", kModelType},
      {"task", "seq2seq"},
      {"vocab_size", o.source_vocabulary},
      {"target_vocab_size", o.target_vocabulary},
      {"pad_token_id", o.source_padding_id},
      {"target_pad_token_id", o.target_padding_id},
      {"shared_vocabulary", trained.source == trained.target},
      {"tied", o.tied},
      {"decoder_layers", o.decoder_layers},
      {"torch_dtype", "float32"},
  };
  config.update(transformer_json(o.transformer));
  return config;
}

EncoderDecoderOptions options_from(const JsonValue& config) {
  constexpr int64_t kLarge = 1 << 24;
  const auto whole = [&](const char* name, int64_t least, int64_t most) {
    return config.at(name).integer({.least = least, .most = most});
  };
  return {
      .source_vocabulary = whole("vocab_size", 1, kLarge),
      .target_vocabulary = whole("target_vocab_size", 1, kLarge),
      .source_padding_id = whole("pad_token_id", -1, kLarge),
      .target_padding_id = whole("target_pad_token_id", -1, kLarge),
      .tied = config.at("tied").one_of<const char*>(
          {{"none", "none"}, {"output", "output"}, {"all", "all"}}),
      .transformer = transformer_from(config),
      .decoder_layers = whole("decoder_layers", 0, 1000),
  };
}

void check_against_weights(const JsonValue& config, const EncoderDecoderOptions& options,
                           const Safetensors& weights) {
  TransformerOptions o = options.transformer;
  const auto check = [&](const char* name, int64_t rows, const char* field) {
    if (weights.at(name).shape != std::vector<int64_t>{rows, o.width}) {
      config.at(field).fail(text_of("the shape of '", name, "' in ", weights.name()));
    }
  };
  check("source.embedding.weight", options.source_vocabulary, "vocab_size");
  if (options.tied != "all") {
    check("target.embedding.weight", options.target_vocabulary, "target_vocab_size");
  }
  if (options.tied == "none") check("output.weight", options.target_vocabulary, "tied");
  if (o.attention.positions == "learned") {
    check("source.positions.table", o.longest, "max_position_embeddings");
  }
  check_stack_against_weights(config, o, weights, "encoder");
  if (options.decoder_layers > 0) o.layers = options.decoder_layers;
  check_stack_against_weights(config, o, weights, "decoder");
}

void check_tokenizer(const text::Tokenizer& tokenizer, const std::filesystem::path& file,
                     const JsonValue& size) {
  for (const char* token : {kBeginToken, kEndToken}) {
    if (!tokenizer.id_of(token)) {
      throw DataError(file.string(), text_of("expected a token \"", token, "\", found none"));
    }
  }
  if (tokenizer.size() > size.integer({.least = 1, .most = 1 << 24})) {
    size.fail(text_of("at least the ", tokenizer.size(), " of ", file.filename().string()));
  }
}

}  // namespace

void save(const TrainedEncoderDecoder& trained, const std::filesystem::path& directory) {
  ModelFiles files{.config = config_json(trained),
                   .module = trained.model.get(),
                   .tokenizers = {{.tokenizer = trained.source.get()}}};
  if (trained.source != trained.target) {
    files.tokenizers.push_back({.name = kTargetTokenizerFile, .tokenizer = trained.target.get()});
  }
  save_model(files, directory);
}

TrainedEncoderDecoder load_encoder_decoder(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kModelType);
  const JsonValue& config = files.config();
  const EncoderDecoderOptions options = options_from(config);
  const auto tokenizer = [&](std::string_view name, const char* size) {
    auto loaded = std::make_shared<const text::Tokenizer>(files.tokenizer(name));
    check_tokenizer(*loaded, files.path() / name, config.at(size));
    return loaded;
  };
  TrainedEncoderDecoder trained;
  trained.source = tokenizer(kTokenizerFile, "vocab_size");
  trained.target = config.at("shared_vocabulary").boolean()
                       ? trained.source
                       : tokenizer(kTargetTokenizerFile, "target_vocab_size");
  if (trained.source == trained.target) {
    check_tokenizer(*trained.target, files.path() / kTokenizerFile, config.at("target_vocab_size"));
  }
  const Safetensors weights = files.weights();
  check_against_weights(config, options, weights);
  trained.model = files.made_from_config([&] { return std::make_shared<EncoderDecoder>(options); });
  load_parameters(*trained.model, weights);
  trained.model->eval();
  return trained;
}

}  // namespace heed::models
