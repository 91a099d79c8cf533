#include "heed/models/files/encoder_decoder_files.h"

#include "heed/base/error.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/transformer_files.h"
#include "heed/models/files/weight_check.h"

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

void check_against_weights(const WeightCheck& check, const EncoderDecoderOptions& options) {
  TransformerOptions o = options.transformer;
  check.shape("source.embedding.weight", {options.source_vocabulary, o.width}, "vocab_size");
  if (options.tied != "all") {
    check.shape("target.embedding.weight", {options.target_vocabulary, o.width},
                "target_vocab_size");
  }
  if (options.tied == "none") {
    check.shape("output.weight", {options.target_vocabulary, o.width}, "tied");
  }
  if (o.attention.positions == "learned") {
    check.shape("source.positions.table", {o.longest, o.width}, "max_position_embeddings");
  }
  check.stack("encoder", o);
  if (options.decoder_layers > 0) o.layers = options.decoder_layers;
  check.stack("decoder", o);
}

std::shared_ptr<const text::Tokenizer> tokenizer_of(const ModelDirectory& files,
                                                    const SizedTokenizer& file) {
  auto tokenizer = files.tokenizer(file);
  for (const char* token : {kBeginToken, kEndToken}) {
    if (tokenizer->id_of(token)) continue;
    throw DataError((files.path() / file.name).string(),
                    text_of("expected a token \"", token, "\", found none"));
  }
  return tokenizer;
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
  const EncoderDecoderOptions options = options_from(files.config());
  TrainedEncoderDecoder trained;
  trained.source = tokenizer_of(files, {});
  if (files.config().at("shared_vocabulary").boolean()) {
    files.check_size(*trained.source, {.size = "target_vocab_size"});
    trained.target = trained.source;
  } else {
    trained.target =
        tokenizer_of(files, {.name = kTargetTokenizerFile, .size = "target_vocab_size"});
  }
  trained.model = files.model<EncoderDecoder>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
