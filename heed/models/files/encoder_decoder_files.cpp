#include "heed/models/files/encoder_decoder_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kEncoderDecoderType = "heed_encoder_decoder";

OrderedJson config_json(const TrainedEncoderDecoder& trained) {
  OrderedJson config = {
      {"architectures", {"EncoderDecoder"}},
      {"model_type", kEncoderDecoderType},
      {"task", "seq2seq"},
      {"shared_vocabulary", trained.source == trained.target},
      {"torch_dtype", "float32"},
  };
  config.update(columns_json(trained.columns));
  return with_fields(std::move(config), trained.model->options());
}

void check_recurrent(const WeightCheck& check, const EncoderDecoderOptions& options) {
  const TransformerOptions& o = options.transformer;
  const int64_t gates = options.rnn.cell == "gru" ? 3 : 4;
  check.shape("encoder.layer_0.weight_hh_l0", {gates * o.d_model, o.d_model}, "rnn_cell");
  check.present(text_of("encoder.layer_", o.num_layers - 1, ".weight_hh_l0"));
  const int64_t layers = options.num_decoder_layers > 0 ? options.num_decoder_layers : o.num_layers;
  check.present(text_of("decoder.layer_", layers - 1, ".weight_hh_l0"));
  const bool feeds = options.rnn.attention == "additive" ||
                     (options.rnn.attention == "dot" && options.rnn.input_feeding);
  check.shape("decoder.layer_0.weight_ih_l0", {gates * o.d_model, (feeds ? 2 : 1) * o.d_model},
              options.rnn.attention == "dot" ? "rnn_input_feeding" : "rnn_attention");
  if (options.rnn.attention == "none") return;
  const bool additive = options.rnn.attention == "additive";
  check.shape("decoder.readout.weight",
              {(additive ? 2 : 1) * o.d_model, (additive ? 3 : 2) * o.d_model}, "rnn_attention");
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
  if (options.architecture == "rnn") return check_recurrent(check, options);
  check.positions("source.positions", o);
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

// The tokens of a text between those that stand around it: of a published model what its tokenizer
// puts there, of Heed's own the end token. What is cut is the text.
std::vector<int32_t> ended(const text::Tokenizer& tokenizer, std::string_view text, int64_t longest,
                           bool published) {
  if (published) {
    return tokenizer.with_max_length(static_cast<int32_t>(std::min<int64_t>(longest, 1 << 30)))
        .encode_ids(text);
  }
  std::vector<int32_t> ids = tokenizer.encode_ids(text, text::Surround::kNo);
  if (std::ssize(ids) >= longest) ids.resize(static_cast<size_t>(longest) - 1);
  ids.push_back(tokenizer.id_of(kEndToken).value());
  return ids;
}

}  // namespace

int64_t TrainedEncoderDecoder::begin_token_id() const {
  if (published) return published->generation().decoder_start_token_id.value();
  return target->id_of(kBeginToken).value();
}

std::vector<int64_t> TrainedEncoderDecoder::eos_token_ids() const {
  if (published) return published->generation().eos_token_ids;
  return {target->id_of(kEndToken).value()};
}

std::vector<int32_t> TrainedEncoderDecoder::source_ids(std::string_view text,
                                                       int64_t longest) const {
  return ended(*source, text, longest, published != nullptr);
}

std::vector<int32_t> TrainedEncoderDecoder::target_ids(std::string_view text,
                                                       int64_t longest) const {
  return ended(*target, text, longest, published != nullptr);
}

void save(const TrainedEncoderDecoder& trained, const std::filesystem::path& directory) {
  if (trained.published) {
    const OrderedJson fields = columns_json(trained.columns);
    for (const auto& [name, value] : fields.items()) trained.published->set_config(name, value);
    return trained.published->save(directory);
  }
  ModelFiles files{.config = config_json(trained),
                   .module = trained.model.get(),
                   .tokenizers = {{.tokenizer = trained.source.get()}}};
  if (trained.source != trained.target) {
    files.tokenizers.push_back({.name = kTargetTokenizerFile, .tokenizer = trained.target.get()});
  }
  save_model(files, directory);
}

TrainedEncoderDecoder as_encoder_decoder(const PublishedFiles& files) {
  const published::GenerationConfig& generation = files.model->generation();
  const std::string config = (files.model->directory() / "generation_config.json").string();
  if (!generation.decoder_start_token_id) {
    throw DataError(config, "field 'decoder_start_token_id' is missing, here and in config.json");
  }
  if (generation.eos_token_ids.empty()) {
    throw DataError(config, "field 'eos_token_id' is missing, here and in config.json");
  }
  TrainedEncoderDecoder trained{.model = files.model->encoder_decoder(),
                                .source = std::make_shared<const text::Tokenizer>(
                                    files.tokenizer.tokenizer.with_max_length(std::nullopt)),
                                .columns = columns_from(files.model->config().json()),
                                .published = files.model};
  trained.target = files.tokenizer.target
                       ? std::make_shared<const text::Tokenizer>(
                             files.tokenizer.target->with_max_length(std::nullopt))
                       : trained.source;
  return trained;
}

TrainedEncoderDecoder load_encoder_decoder(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_encoder_decoder(
        open_published(directory, published::Purpose::kConditionalGeneration));
  }
  const ModelDirectory files(directory, kEncoderDecoderType);
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
