#include "heed/models/files/encoder_decoder_files.h"

#include "heed/base/error.h"
#include "heed/models/files/fields.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_encoder_decoder";

OrderedJson config_json(const TrainedEncoderDecoder& trained) {
  OrderedJson config = {
      {"architectures", {"EncoderDecoder"}},
      {"model_type", kModelType},
      {"task", "seq2seq"},
      {"shared_vocabulary", trained.source == trained.target},
      {"torch_dtype", "float32"},
  };
  config.update(columns_json(trained.columns));
  return with_fields(std::move(config), trained.model->options());
}

void check_against_weights(const WeightCheck& check, const EncoderDecoderOptions& options) {
  TransformerOptions o = options.transformer;
  check.shape("source.embedding.weight", {options.source_vocab_size, o.d_model},
              "source_vocab_size");
  if (options.tie_word_embeddings != "all") {
    check.shape("target.embedding.weight", {options.target_vocab_size, o.d_model},
                "target_vocab_size");
  }
  if (options.tie_word_embeddings == "none") {
    check.shape("output.weight", {options.target_vocab_size, o.d_model}, "tie_word_embeddings");
  }
  if (o.attention.positions == "learned") {
    check.shape("source.positions.table", {o.max_length, o.d_model}, "max_length");
  }
  check.stack("encoder", o);
  if (options.num_decoder_layers > 0) o.num_layers = options.num_decoder_layers;
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
  const auto options = fields_from<EncoderDecoderOptions>(files.config());
  TrainedEncoderDecoder trained;
  trained.columns = columns_from(files.config());
  trained.source = tokenizer_of(files, {.size = "source_vocab_size"});
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
