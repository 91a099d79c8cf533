#include "heed/tasks/text/entity_tagging.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <functional>

#include "heed/base/error.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/text/tagged_parts.h"

namespace heed::tasks {
namespace {

using Part = TaggedParts::Part;

// Scores of all parts, a batch of similar length at a time.
using OnScores = std::function<void(const std::vector<int64_t>& parts, const at::Tensor& scores,
                                    const at::Tensor& lengths)>;
void score(const models::TokenTagger& model, const models::WordReader& reader,
           const std::vector<Part>& parts, const Progress& progress, const OnScores& on_scores) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(model);
  std::vector<int64_t> lengths;
  for (const Part& part : parts) lengths.push_back(std::ssize(part.words));
  for_each_batch(lengths, kEvaluationBatch, progress, [&](const std::vector<int64_t>& numbers) {
    std::vector<const std::vector<std::string>*> words;
    for (const int64_t i : numbers) words.push_back(&parts[static_cast<size_t>(i)].words);
    const models::WordBatch batch = reader.batch(words).to(device);
    on_scores(numbers, model.forward(batch), batch.lengths);
  });
}

// The tags of a batch, rows of model.tags(), as texts at their places in the sentences.
using BestTags = std::vector<std::vector<int64_t>>;
void write_tags(const models::TokenTagger& model, const std::vector<const Part*>& parts,
                const BestTags& best, std::vector<TaggedSentence>& answers) {
  for (size_t b = 0; b < parts.size(); ++b) {
    for (size_t t = 0; t < best[b].size(); ++t) {
      answers[parts[b]->sentence].tags[parts[b]->begin + t] =
          model.tags()[static_cast<size_t>(best[b][t])];
    }
  }
}

// probabilities: (B, N, K) of all tags.
void write_probabilities(const at::Tensor& probabilities, const std::vector<const Part*>& parts,
                         const BestTags& best, std::vector<TaggedSentence>& answers) {
  const auto all = probabilities.accessor<double, 3>();
  for (size_t b = 0; b < parts.size(); ++b) {
    for (size_t t = 0; t < best[b].size(); ++t) {
      answers[parts[b]->sentence].probabilities[parts[b]->begin + t] =
          all[static_cast<int64_t>(b)][static_cast<int64_t>(t)][best[b][t]];
    }
  }
}

std::vector<TaggedSentence> empty_answers(const std::vector<Part>& parts, size_t sentences) {
  std::vector<TaggedSentence> answers(sentences);
  for (const Part& part : parts) {
    TaggedSentence& answer = answers[part.sentence];
    answer.tags.resize(part.begin + part.words.size());
    answer.probabilities.resize(answer.tags.size());
  }
  return answers;
}

}  // namespace

CutTexts cut_texts(const models::TrainedTokenTagger& trained,
                   std::span<const std::vector<std::string>> sentences) {
  const models::WordReader reader = trained.reader();
  const int64_t longest = trained.model->options().transformer.max_length;
  CutCount parts{.what = "sentences",
                 .all = std::ssize(sentences),
                 .limit = text_of(longest, " words (--max-length)"),
                 .outcome = "are read in parts"};
  CutCount words{.what = "words",
                 .limit = text_of(reader.limits().characters, " characters (--max-word-length) or ",
                                  reader.limits().subwords, " subwords"),
                 .outcome = "are not read whole"};
  for (const std::vector<std::string>& sentence : sentences) {
    parts.cut += std::ssize(sentence) > longest ? 1 : 0;
    words.all += std::ssize(sentence);
    for (const std::string& word : sentence) words.cut += reader.is_cut(word) ? 1 : 0;
  }
  return CutTexts({parts, words});
}

std::vector<std::vector<std::string>> words_of(const data::NerData& data) {
  std::vector<std::vector<std::string>> sentences;
  for (const data::NerSentence& each : data.sentences) sentences.push_back(each.words);
  return sentences;
}

std::vector<TaggedSentence> tag_words(const models::TrainedTokenTagger& trained,
                                      std::span<const std::vector<std::string>> sentences,
                                      const Progress& progress) {
  std::vector<Part> parts;
  for (size_t i = 0; i < sentences.size(); ++i) {
    add_parts(sentences[i], i, trained.model->options().transformer.max_length, parts);
  }
  std::vector<TaggedSentence> answers = empty_answers(parts, sentences.size());
  score(*trained.model, trained.reader(), parts, progress,
        [&](const std::vector<int64_t>& numbers, const at::Tensor& scores,
            const at::Tensor& lengths) {
          const std::vector<const Part*> some = chosen(parts, numbers);
          const BestTags best = trained.model->best(scores, lengths);
          write_tags(*trained.model, some, best, answers);
          write_probabilities(trained.model->probabilities(scores, lengths), some, best, answers);
        });
  return answers;
}

EntityEvaluation evaluate(const models::TrainedTokenTagger& trained, const data::NerData& data,
                          const Progress& progress) {
  return evaluate(*trained.model, trained.reader(), tagged_parts(*trained.model, data), data,
                  progress);
}

EntityEvaluation evaluate(const models::TokenTagger& model, const models::WordReader& reader,
                          const TaggedParts& tagged, const data::NerData& data,
                          const Progress& progress) {
  check_usage(!data.sentences.empty(), data.file, ": expected at least one sentence, got none");
  std::vector<TaggedSentence> answers = empty_answers(tagged.parts, data.sentences.size());
  double loss = 0;
  int64_t words = 0;
  score(model, reader, tagged.parts, progress,
        [&](const std::vector<int64_t>& numbers, const at::Tensor& scores,
            const at::Tensor& lengths) {
          const models::IdRows rows = chosen(tagged.tags, numbers);
          for (const auto* row : rows) words += std::ssize(*row);
          const at::Tensor wanted = models::padded_ids(rows, 0).to(scores.device());
          loss += model.loss(scores, lengths, wanted).sum().item<double>();
          write_tags(model, chosen(tagged.parts, numbers), model.best(scores, lengths), answers);
        });

  EntityEvaluation result;
  for (size_t i = 0; i < answers.size(); ++i) {
    result.counts.add(data.sentences[i].tags, answers[i].tags);
  }
  const metrics::PrecisionRecall micro = result.counts.micro();
  result.metrics = {{"loss", loss / static_cast<double>(words)},
                    {"f1", micro.f1},
                    {"precision", micro.precision},
                    {"recall", micro.recall},
                    {"examples", static_cast<double>(answers.size())}};
  return result;
}

}  // namespace heed::tasks
