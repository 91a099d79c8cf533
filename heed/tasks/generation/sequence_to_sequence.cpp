#include "heed/tasks/generation/sequence_to_sequence.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/file_format.h"
#include "heed/inference/beam_search.h"
#include "heed/io/utf8.h"
#include "heed/metrics/language.h"
#include "heed/models/parts/text_batch.h"
#include "heed/models/published/published.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/generation/published_rules.h"
#include "heed/tasks/generation/sequence_to_sequence_decoder.h"

namespace heed::tasks {
namespace {

using models::kEndToken;
using Ids = std::vector<int32_t>;

// ---- Ids

int64_t padding_of(const text::Tokenizer& tokenizer) {
  return tokenizer.padding_id().value_or(tokenizer.id_of(kEndToken).value());
}

// Begin token, text and end token: one token more than the model reads. What is cut is the text: a
// model that sees targets without their end does not learn to stop.
Ids target_ids(const models::TrainedEncoderDecoder& trained, const std::string& text) {
  Ids ids = trained.target_ids(text, trained.model->options().transformer.max_length);
  ids.insert(ids.begin(), static_cast<int32_t>(trained.begin_token_id()));
  return ids;
}

// Whether a text and its end token are more than `longest` tokens.
bool is_cut(const text::Tokenizer& tokenizer, std::string_view text, int64_t longest) {
  return static_cast<int64_t>(text.size()) >= longest &&  // a token has a byte at least
         std::ssize(tokenizer.encode_ids(text, text::Surround::kNo)) >= longest;
}

CutCount cut_of(const text::Tokenizer& tokenizer, const std::vector<std::string_view>& texts,
                const char* what, int64_t longest) {
  CutCount count{.what = what,
                 .all = std::ssize(texts),
                 .limit = text_of(longest - 1, " tokens beside the end token (--max-length)")};
  for (const std::string_view text : texts) {
    if (is_cut(tokenizer, text, longest)) ++count.cut;
  }
  return count;
}

// ---- Batches

void fill(PairBatch& batch, const models::EncoderDecoderOptions& model,
          const std::vector<const Ids*>& sources, const std::vector<const Ids*>& targets) {
  batch.sources = models::text_batch(sources, model.source_pad_token_id);
  std::vector<Ids> read;
  std::vector<const Ids*> pointers;
  for (const Ids* target : targets) read.emplace_back(target->begin(), target->end() - 1);
  for (const Ids& ids : read) pointers.push_back(&ids);
  batch.targets = models::text_batch(pointers, model.target_pad_token_id);
  const int64_t width = batch.targets.ids.size(1);
  std::vector<int64_t> places;
  std::vector<int64_t> next;
  for (size_t b = 0; b < targets.size(); ++b) {
    for (size_t i = 0; i < read[b].size(); ++i) {
      places.push_back(static_cast<int64_t>(b) * width + static_cast<int64_t>(i));
      next.push_back((*targets[b])[i + 1]);
    }
    batch.tokens += static_cast<int64_t>(sources[b]->size() + read[b].size());
  }
  batch.places = at::tensor(places, at::kLong);
  batch.next = at::tensor(next, at::kLong);
}

// The logits (T, V) of the real tokens alone: padding costs no row of the output layer.
at::Tensor logits_of(const models::EncoderDecoder& model, const PairBatch& batch) {
  const at::Device device = device_of(model);
  const nn::Memory memory = model.encode(batch.sources.to(device));
  const at::Tensor states = model.states(batch.targets.to(device), {.memory = &memory});
  return model.logits(states.flatten(0, 1).index_select(0, batch.places.to(device)));
}

bool is_blank(const std::string& text) { return trimmed(text).empty(); }

int64_t most_tokens(const models::TrainedEncoderDecoder& trained,
                    const TranslationOptions& options) {
  return std::min(options.max_new_tokens, trained.model->options().transformer.max_length);
}

// Of sources as ids; where there are none, the source is blank.
std::vector<Translation> translate_ids(const models::TrainedEncoderDecoder& trained,
                                       const std::vector<const Ids*>& sources,
                                       const TranslationOptions& options,
                                       const Progress& progress) {
  const models::EncoderDecoderOptions& model = trained.model->options();
  const int64_t begin = trained.begin_token_id();
  inference::BeamSearchOptions search{.num_beams = options.num_beams,
                                      .length_penalty = options.length_penalty,
                                      .max_new_tokens = most_tokens(trained, options),
                                      .min_new_tokens = options.min_new_tokens,
                                      .repetition_penalty = options.repetition_penalty,
                                      .eos_token_ids = trained.eos_token_ids(),
                                      .rules = trained.published
                                                   ? logit_rules(trained.published->generation(), 1)
                                                   : inference::LogitRules()};
  search.rules.no_repeat_ngram_size = options.no_repeat_ngram_size;
  if (trained.published) {
    search.early_stopping = early_stopping(trained.published->generation(), options.num_beams);
  }
  std::vector<const Ids*> ids;
  std::vector<int64_t> lengths;
  std::vector<size_t> places;  // of those that are not blank
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] == nullptr) continue;
    ids.push_back(sources[i]);
    lengths.push_back(std::ssize(*sources[i]));
    places.push_back(i);
  }
  std::vector<Translation> results(sources.size());
  const auto write = [&](const std::vector<int64_t>& numbers, const Stopped& stopped) {
    std::vector<const Ids*> some;
    for (const int64_t i : numbers) some.push_back(ids[static_cast<size_t>(i)]);
    SequenceToSequenceDecoder decoder(trained.model,
                                      models::text_batch(some, model.source_pad_token_id));
    const at::Tensor start = at::full({static_cast<int64_t>(numbers.size()), 1}, begin, at::kLong);
    inference::BeamSearchOptions stoppable = search;
    stoppable.cancelled = stopped;
    auto found = inference::beam_search(decoder, start, stoppable);
    for (size_t b = 0; b < numbers.size(); ++b) {
      inference::Hypothesis& best = found[b].front();
      const Ids written(best.ids.begin(), best.ids.end());
      results[places[static_cast<size_t>(numbers[b])]] = {.text = trained.target->decode(written),
                                                          .ids = std::move(best.ids),
                                                          .log_probability = best.log_probability,
                                                          .score = best.score};
    }
  };
  for_each_batch_at_once(lengths, options.batch_size, progress, write);
  return results;
}

models::TrainedEncoderDecoder untrained(const PairTokenizers& tokenizers,
                                        const SequenceToSequenceOptions& options) {
  models::TrainedEncoderDecoder made{.source = tokenizers.source, .target = tokenizers.target};
  models::EncoderDecoderOptions model = options.model;
  model.source_vocab_size = made.source->size();
  model.target_vocab_size = made.target->size();
  model.source_pad_token_id = padding_of(*made.source);
  model.target_pad_token_id = padding_of(*made.target);
  made.model = std::make_shared<models::EncoderDecoder>(model);
  return made;
}

// Pairs as texts and as ids.
struct ReadPairs {
  const data::ParallelData& texts;
  const EncodedPairs& ids;
};

double greedy_bleu(const models::TrainedEncoderDecoder& trained, const ReadPairs& pairs,
                   metrics::LetterCase letters, const Progress& progress) {
  const std::vector<data::TextPair>& texts = pairs.texts.pairs;
  std::vector<const Ids*> sources;
  for (size_t i = 0; i < texts.size(); ++i) {
    sources.push_back(is_blank(texts[i].source) ? nullptr : &pairs.ids.sources[i]);
  }
  const auto translations = translate_ids(trained, sources, {.num_beams = 1}, progress);
  metrics::Bleu bleu({.letters = letters});
  for (size_t i = 0; i < translations.size(); ++i) {
    bleu.add(translations[i].text, texts[i].target);
  }
  return bleu.score().score;
}

}  // namespace

SequenceToSequence::SequenceToSequence(const data::ParallelData& train,
                                       const data::ParallelData& valid,
                                       const PairTokenizers& tokenizers,
                                       const SequenceToSequenceOptions& options)
    : SequenceToSequence(train, valid, untrained(tokenizers, options), options) {}

SequenceToSequence::SequenceToSequence(const data::ParallelData& train,
                                       const data::ParallelData& valid,
                                       models::TrainedEncoderDecoder trained,
                                       const SequenceToSequenceOptions& options)
    : options_(options), trained_(std::move(trained)), valid_(valid) {
  watched_among(watchable(), options.watched, "loss");  // throws where there is none
  visit_fields(options, nn::FieldCheck());
  check_usage(!valid.pairs.empty(), "training: expected validation data, got none");
  train_ = encode_pairs(trained_, train);
  valid_pairs_ = encode_pairs(trained_, valid);
  cut_ += cut_texts(trained_, train);
  cut_ += cut_texts(trained_, valid);
  trained_.columns = {{"text", train.source_column}, {"label", train.target_column}};
}

CutTexts cut_texts(const models::TrainedEncoderDecoder& trained, const data::ParallelData& data) {
  const int64_t longest = trained.model->options().transformer.max_length;
  std::vector<std::string_view> sources;
  std::vector<std::string_view> targets;
  for (const data::TextPair& pair : data.pairs) {
    sources.emplace_back(pair.source);
    targets.emplace_back(pair.target);
  }
  return CutTexts({cut_of(*trained.source, sources, "sources", longest),
                   cut_of(*trained.target, targets, "targets", longest)});
}

CutTexts cut_sources(const models::TrainedEncoderDecoder& trained,
                     const std::vector<std::string>& sources) {
  const std::vector<std::string_view> texts(sources.begin(), sources.end());
  return CutTexts(
      {cut_of(*trained.source, texts, "sources", trained.model->options().transformer.max_length)});
}

std::vector<Source> SequenceToSequence::sources() const {
  return {source_of("training data",
                    [&](Checksum& sum) {
                      sum.add(train_.sources);
                      sum.add(train_.targets);
                    }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      for (const data::TextPair& pair : valid_.pairs) {
                        sum.add(pair.source);
                        sum.add(pair.target);
                      }
                    }),
          source_of("tokenizer", *trained_.source),
          source_of("tokenizer of the target", *trained_.target)};
}

std::unique_ptr<PairBatch> SequenceToSequence::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<PairBatch>(std::move(examples));
  fill(*batch, trained_.model->options(), chosen(train_.sources, batch->examples),
       chosen(train_.targets, batch->examples));
  return batch;
}

Loss SequenceToSequence::loss_of(const PairBatch& pairs) {
  const at::Tensor logits = logits_of(*trained_.model, pairs);
  return {.value = heed::cross_entropy(logits, pairs.next.to(logits.device()),
                                       {.label_smoothing = options_.label_smoothing}),
          .tokens = pairs.tokens,
          .weight = static_cast<double>(pairs.next.size(0))};
}

Metrics SequenceToSequence::validate(const Progress& progress) {
  Metrics metrics = target_loss(trained_, valid_pairs_, progress);
  if (options_.watched == "bleu") {
    metrics.emplace_back("bleu",
                         greedy_bleu(trained_, {valid_, valid_pairs_}, options_.letters, progress));
  }
  return metrics;
}

Watched SequenceToSequence::watched(const std::string& name) const {
  return watched_among(watchable(), name, options_.watched);
}

void SequenceToSequence::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

EncodedPairs encode_pairs(const models::TrainedEncoderDecoder& trained,
                          const data::ParallelData& data) {
  EncodedPairs encoded;
  for (const data::TextPair& pair : data.pairs) {
    encoded.sources.push_back(source_ids(trained, pair.source));
    encoded.targets.push_back(target_ids(trained, pair.target));
    encoded.lengths.push_back(
        static_cast<int64_t>(encoded.sources.back().size() + encoded.targets.back().size() - 1));
  }
  return encoded;
}

Metrics target_loss(const models::TrainedEncoderDecoder& trained, const EncodedPairs& pairs,
                    const Progress& progress) {
  const c10::InferenceMode inference;
  metrics::LanguageLoss sum;
  for_each_batch(pairs.lengths, kEvaluationBatch, progress, [&](const auto& numbers) {
    PairBatch batch(numbers);
    fill(batch, trained.model->options(), chosen(pairs.sources, numbers),
         chosen(pairs.targets, numbers));
    const at::Tensor logits = logits_of(*trained.model, batch);
    const at::Tensor losses = heed::cross_entropy(logits, batch.next.to(logits.device()),
                                                  {.reduction = Reduction::kNone});
    sum.nats += losses.to(at::kDouble).sum().item<double>();
    sum.tokens += batch.next.size(0);
  });
  return {{"loss", metrics::nats_per_token(sum)},
          {"perplexity", metrics::perplexity(sum)},
          {"tokens", static_cast<double>(sum.tokens)}};
}

Metrics target_loss(const models::TrainedEncoderDecoder& trained, const data::ParallelData& data,
                    const Progress& progress) {
  return target_loss(trained, encode_pairs(trained, data), progress);
}

CutTexts cut_translations(const models::TrainedEncoderDecoder& trained,
                          const std::vector<Translation>& translations,
                          const TranslationOptions& options) {
  const int64_t most = most_tokens(trained, options);
  CutCount count{.what = "answers",
                 .all = std::ssize(translations),
                 .limit = text_of(most, " tokens"),
                 .outcome = "end there unfinished"};
  for (const Translation& each : translations) count.cut += std::ssize(each.ids) == most ? 1 : 0;
  return CutTexts({count});
}

TranslationOptions usual_translation(const models::TrainedEncoderDecoder& trained) {
  TranslationOptions usual;
  if (!trained.published) return usual;
  const models::published::GenerationConfig& generation = trained.published->generation();
  usual.num_beams = std::max<int64_t>(1, generation.num_beams);
  usual.length_penalty = generation.length_penalty;
  usual.repetition_penalty = generation.repetition_penalty;
  usual.no_repeat_ngram_size = generation.no_repeat_ngram_size;
  usual.min_new_tokens = models::published::least_new_tokens(generation, 1);  // the start token
  // The start token counts as written there.
  if (generation.max_length)
    usual.max_new_tokens = std::max<int64_t>(1, *generation.max_length - 1);
  if (generation.max_new_tokens) usual.max_new_tokens = *generation.max_new_tokens;
  return usual;
}

std::vector<Translation> translate(const models::TrainedEncoderDecoder& trained,
                                   const std::vector<std::string>& sources,
                                   const TranslationOptions& options, const Progress& progress) {
  std::vector<Ids> ids;
  for (const std::string& source : sources) ids.push_back(source_ids(trained, source));
  std::vector<const Ids*> pointers;
  for (size_t i = 0; i < sources.size(); ++i) {
    pointers.push_back(is_blank(sources[i]) ? nullptr : &ids[i]);
  }
  return translate_ids(trained, pointers, options, progress);
}

std::vector<int32_t> source_ids(const models::TrainedEncoderDecoder& trained,
                                const std::string& text) {
  return trained.source_ids(text, trained.model->options().transformer.max_length);
}

}  // namespace heed::tasks
