#include "heed/tasks/generation/language_modeling.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "heed/base/error.h"
#include "heed/metrics/language.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/common/vocabulary_size.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/text/characters/byte_alphabet.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationTokens = 8192;  // of a batch
constexpr std::string_view kBpe = "bpe:";
constexpr int32_t kByteTokens = 257;  // 256 bytes and the end of a text

int32_t bpe_size(std::string_view kind) {
  return vocabulary_size(
      kind, {.prefix = kBpe,
             .least = kByteTokens,
             .expected = text_of("at least ", kByteTokens, " (all bytes and the end of a text)")});
}

text::Tokenizer learnt_bytes(int32_t size, std::string_view text, const Progress& progress) {
  text::BpeOptions options = text::byte_level_options();
  options.vocab_size = size;
  options.progress = progress;
  text::BpeBuilder builder(options);
  if (size > kByteTokens) builder.add(text);
  return builder.build();
}

text::Tokenizer learnt_characters(std::string_view text) {
  text::WordLevelBuilder builder(text::character_options());
  builder.add(text);
  return builder.build();
}

void check_length(size_t tokens, const std::string& where) {
  if (tokens < 2) {
    throw DataError(where, text_of("expected a text of at least two tokens, got ", tokens));
  }
}

// Bytes of the text behind its first token, which nothing predicts.
int64_t predicted_bytes(const models::TrainedLanguageModel& trained, std::string_view text) {
  const text::Tokenizer first = trained.tokenizer->with_max_length(2);
  const text::Encoding encoding =
      first.encode(text.substr(0, text.find('\n', 1)), trained.surround());
  return static_cast<int64_t>(text.size()) - first_token_bytes(encoding);
}

// `rows` pieces of `length` tokens and, as targets, the token behind each.
struct Pieces {
  at::Tensor ids;      // (rows, length) int64
  at::Tensor targets;  // the same
};

Pieces pieces(const std::vector<int32_t>& tokens, const std::vector<int64_t>& starts,
              int64_t length) {
  const auto rows = static_cast<int64_t>(starts.size());
  Pieces result{.ids = at::empty({rows, length}, at::kLong),
                .targets = at::empty({rows, length}, at::kLong)};
  auto* ids = result.ids.mutable_data_ptr<int64_t>();
  auto* targets = result.targets.mutable_data_ptr<int64_t>();
  for (const int64_t start : starts) {
    const auto first = tokens.begin() + start;
    ids = std::copy(first, first + length, ids);
    targets = std::copy(first + 1, first + length + 1, targets);
  }
  return result;
}

Metrics metrics_of(const std::vector<float>& losses, int64_t bytes) {
  const metrics::LanguageLoss loss{.nats = std::accumulate(losses.begin(), losses.end(), 0.0),
                                   .tokens = static_cast<int64_t>(losses.size()),
                                   .bytes = bytes};
  return {{"loss", metrics::nats_per_token(loss)},
          {"perplexity", metrics::perplexity(loss)},
          {"bits_per_byte", metrics::bits_per_byte(loss)},
          {"tokens", static_cast<double>(loss.tokens)}};
}

}  // namespace

int64_t first_token_bytes(const text::Encoding& encoding) {
  if (encoding.offsets.empty()) return 0;
  const int64_t end = encoding.offsets[0].end;
  const bool shared = encoding.offsets.size() > 1 && encoding.offsets[1].begin < end;
  if (!shared) return end;
  return std::min(end, std::ssize(text::from_byte_characters(encoding.tokens[0])));
}

std::shared_ptr<const text::Tokenizer> tokenizer_for(const std::string& kind, std::string_view text,
                                                     const Progress& progress,
                                                     std::string_view learnt) {
  const auto made = [&]() -> text::Tokenizer {
    if (kind == "characters") return learnt_characters(text);
    if (kind == "bytes") return learnt_bytes(kByteTokens, text, progress);
    if (kind.starts_with(kBpe)) return learnt_bytes(bpe_size(kind), text, progress);
    return tokenizer_file(kind, {.learnt = learnt});
  };
  return std::make_shared<const text::Tokenizer>(made());
}

std::shared_ptr<const text::Tokenizer> tokenizer_for(const TextTokenizerOptions& options,
                                                     std::string_view text,
                                                     const Progress& progress) {
  if (options.tokenizer != "auto") return tokenizer_for(options.tokenizer, text, progress);
  const size_t tokens = std::clamp<size_t>(text.size() / 256, 512, 8000);
  return tokenizer_for(text_of(kBpe, tokens), text, progress);
}

LanguageModeling::LanguageModeling(const data::TextData& data,
                                   std::shared_ptr<const text::Tokenizer> tokenizer,
                                   const models::LanguageModelOptions& model) {
  trained_.tokenizer =
      std::make_shared<const text::Tokenizer>(tokenizer->with_max_length(std::nullopt));
  read(data);
  models::LanguageModelOptions options = model;
  options.vocab_size = trained_.tokenizer->size();
  trained_.model = std::make_shared<models::LanguageModel>(options);
  cut_into_pieces(options.transformer.max_length);
}

LanguageModeling::LanguageModeling(const data::TextData& data, models::TrainedLanguageModel trained,
                                   int64_t context)
    : trained_(std::move(trained)) {
  const int64_t longest = trained_.model->options().transformer.max_length;
  check_usage(context > 0 && context <= longest, "max_length: expected 1 to ", longest,
              " tokens, which the model reads, got ", context);
  read(data);
  cut_into_pieces(context);
}

void LanguageModeling::read(const data::TextData& data) {
  train_ = trained_.tokenizer->encode_ids(data.train, text::Surround::kNo);
  valid_ = trained_.tokenizer->encode_ids(data.valid, trained_.surround());
  check_length(train_.size(), "the training text");
  check_length(valid_.size(), "the validation text");
  valid_bytes_ = predicted_bytes(trained_, data.valid);
}

void LanguageModeling::cut_into_pieces(int64_t context) {
  const int64_t predicted = train_tokens() - 1;
  piece_ = std::min(context, predicted);
  lengths_.assign(static_cast<size_t>(predicted / piece_), piece_);
}

std::vector<Source> LanguageModeling::sources() const {
  return {source_of("training text", [&](Checksum& sum) { sum.add(train_); }),
          source_of("validation text",
                    [&](Checksum& sum) {
                      sum.add(valid_);
                      sum.add(valid_bytes_);
                    }),
          source_of("tokenizer", *trained_.tokenizer)};
}

Loss LanguageModeling::loss(const Batch& batch) {
  const auto examples = static_cast<int64_t>(lengths_.size());
  const int64_t places = train_tokens() - piece_;  // where a piece may begin
  const auto rows = static_cast<int64_t>(batch.examples.size());
  const at::Tensor shares = at::rand({rows}, at::kDouble);
  std::vector<int64_t> starts;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t example = batch.examples[static_cast<size_t>(row)];
    const int64_t begin = example * places / examples;
    const int64_t count = (example + 1) * places / examples - begin;
    const double share = shares.const_data_ptr<double>()[row];
    starts.push_back(begin + static_cast<int64_t>(share * static_cast<double>(count)));
  }
  const Pieces text = pieces(train_, starts, piece_);
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits = trained_.model->forward(text.ids.to(device));
  return {.value = heed::cross_entropy(logits, text.targets.to(device)),
          .tokens = rows * piece_,
          .weight = static_cast<double>(rows * piece_)};
}

Metrics LanguageModeling::validate(const Progress& progress) {
  return metrics_of(token_losses(*trained_.model, valid_, progress), valid_bytes_);
}

void LanguageModeling::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<float> token_losses(const models::LanguageModel& model, const std::vector<int32_t>& ids,
                                const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(model);
  const auto predicted = static_cast<int64_t>(ids.size()) - 1;
  const int64_t window = model.options().transformer.max_length;
  const int64_t whole = std::max<int64_t>(predicted, 0) / window;
  std::vector<float> losses;
  const auto read = [&](const std::vector<int64_t>& starts, int64_t length) {
    const Pieces text = pieces(ids, starts, length);
    const at::Tensor batch =
        heed::cross_entropy(model.forward(text.ids.to(device)), text.targets.to(device),
                            {.reduction = Reduction::kNone})
            .cpu();
    const auto* first = batch.const_data_ptr<float>();
    losses.insert(losses.end(), first, first + batch.numel());
    if (progress) progress(static_cast<int64_t>(losses.size()), predicted);
  };
  const int64_t rows = std::max<int64_t>(1, kEvaluationTokens / window);
  for (int64_t first = 0; first < whole; first += rows) {
    std::vector<int64_t> starts;
    for (int64_t i = first; i < std::min(first + rows, whole); ++i) starts.push_back(i * window);
    read(starts, window);
  }
  if (predicted > whole * window) read({whole * window}, predicted - whole * window);
  return losses;
}

CutTexts cut_texts(const models::TrainedLanguageModel& trained,
                   const std::vector<int64_t>& tokens) {
  const int64_t window = trained.model->options().transformer.max_length;
  CutCount count{.what = "texts",
                 .all = std::ssize(tokens),
                 // The last token is only predicted.
                 .limit = text_of(window + 1, " tokens, one more than the context,"),
                 .outcome = "are read in windows, each by itself"};
  for (const int64_t each : tokens) count.cut += each > window + 1 ? 1 : 0;
  return CutTexts({count});
}

Metrics evaluate(const models::TrainedLanguageModel& trained, const TextSource& source,
                 const Progress& progress) {
  const auto ids = trained.tokenizer->encode_ids(source.text, trained.surround());
  check_length(ids.size(), source.where);
  return metrics_of(token_losses(*trained.model, ids, progress),
                    predicted_bytes(trained, source.text));
}

}  // namespace heed::tasks
