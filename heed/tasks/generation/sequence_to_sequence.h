// Texts to texts: translation, summaries, answers in a dialogue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/texts/parallel_data.h"
#include "heed/inference/beam_search.h"
#include "heed/metrics/bleu.h"
#include "heed/models/files/encoder_decoder_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/generation/pair_tokenizers.h"

namespace heed::tasks {

struct SequenceToSequenceOptions {
  models::EncoderDecoderOptions model;  // vocabularies and paddings are read from the tokenizers
  double label_smoothing = 0.1;         // of training; Szegedy et al. 2016, section 7
  // What decides which model is best: "loss"; or "bleu", of the greedy translations of the
  // validation data.
  std::string watched = "loss";
  metrics::LetterCase letters = metrics::LetterCase::kKept;  // of that BLEU
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<SequenceToSequenceOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::share_field("label_smoothing",
                        "Share of the probability that is taught to go to all tokens alike"),
        o.label_smoothing);
}

// Pairs that are read several times are encoded once. What is longer than the model's `max_length`
// is cut.
struct EncodedPairs {
  std::vector<std::vector<int32_t>> sources;  // each with its end token
  std::vector<std::vector<int32_t>> targets;  // between begin and end token
  std::vector<int64_t> lengths;               // tokens of both that are read
};
EncodedPairs encode_pairs(const models::TrainedEncoderDecoder& trained,
                          const data::ParallelData& data);

struct PairBatch final : Batch {
  using Batch::Batch;
  models::TextBatch sources;
  models::TextBatch targets;  // without their last token
  at::Tensor places;          // (T) int64 of the real tokens among the B · Nt of the targets
  at::Tensor next;            // (T) int64, the tokens that follow them
  int64_t tokens = 0;         // that are read, of both sides
};

// A training example is a pair; its length is the number of tokens of both sides. What is longer
// than the model's `max_length` is cut.
class SequenceToSequence final : public TaskOf<PairBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. Throws UsageError for options that
  // cannot be used.
  SequenceToSequence(const data::ParallelData& train, const data::ParallelData& valid,
                     const PairTokenizers& tokenizers, const SequenceToSequenceOptions& options);

  // Goes on with a model and its tokenizers: the options of a model have no meaning.
  SequenceToSequence(const data::ParallelData& train, const data::ParallelData& valid,
                     models::TrainedEncoderDecoder trained,
                     const SequenceToSequenceOptions& options);

  std::string name() const override { return "seq2seq"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return train_.lengths; }
  std::vector<Source> sources() const override;
  std::unique_ptr<PairBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const PairBatch& batch) override;  // mean over the tokens of the targets, nats
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override;
  static std::vector<Watched> watchable() { return {lowest("loss"), highest("bleu")}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedEncoderDecoder& trained() const { return trained_; }

  // Of the training and the validation pairs.
  const CutTexts& cut() const { return cut_; }

 private:
  SequenceToSequenceOptions options_;
  models::TrainedEncoderDecoder trained_;
  EncodedPairs train_;
  data::ParallelData valid_;
  EncodedPairs valid_pairs_;
  CutTexts cut_;
};

// How many sources, and how many targets, have more tokens than the model reads. Each keeps its end
// token.
CutTexts cut_texts(const models::TrainedEncoderDecoder& trained, const data::ParallelData& data);
CutTexts cut_sources(const models::TrainedEncoderDecoder& trained,
                     const std::vector<std::string>& sources);

// −log p of the targets: loss (nats per token, the end tokens among them), perplexity, tokens. In
// evaluation mode, without label smoothing.
Metrics target_loss(const models::TrainedEncoderDecoder& trained, const EncodedPairs& pairs,
                    const Progress& progress = {});
Metrics target_loss(const models::TrainedEncoderDecoder& trained, const data::ParallelData& data,
                    const Progress& progress = {});

struct TranslationOptions {
  int64_t num_beams = inference::kNumBeams;
  double length_penalty = inference::kLengthPenalty;
  // Of a translation; no more than the model's `max_length`.
  int64_t max_new_tokens = inference::kMaxNewTokens;
  int64_t min_new_tokens = 0;     // before an end token may follow
  double repetition_penalty = 1;  // as inference::BeamSearchOptions has it
  int64_t no_repeat_ngram_size = 0;
  int64_t batch_size = 64;  // sources that are translated together
};

// What a model is used with where nobody says otherwise: of a published one, what its
// generation_config.json says (the other inference::LogitRules hold for it whatever the options
// are).
TranslationOptions usual_translation(const models::TrainedEncoderDecoder& trained);

struct Translation {
  std::string text;
  std::vector<int64_t> ids;    // of the target's vocabulary, without the end token
  double log_probability = 0;  // of all its tokens, the end token included
  double score = 0;            // what beam search ranks by
};

// Translates in batches of similar length, a batch on each of torch's threads; results in the order
// of the sources, the same bits for any number of threads. A source of white space alone has an
// empty translation. A longer source than the model's `max_length` is cut.
std::vector<Translation> translate(const models::TrainedEncoderDecoder& trained,
                                   const std::vector<std::string>& sources,
                                   const TranslationOptions& options = {},
                                   const Progress& progress = {});

// How many translations ended because they had as many tokens as they may have.
CutTexts cut_translations(const models::TrainedEncoderDecoder& trained,
                          const std::vector<Translation>& translations,
                          const TranslationOptions& options);

// What the model reads of a source: tokens and the end token, at most `max_length`.
std::vector<int32_t> source_ids(const models::TrainedEncoderDecoder& trained,
                                const std::string& text);

}  // namespace heed::tasks
