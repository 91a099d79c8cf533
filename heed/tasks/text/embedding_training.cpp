#include "heed/tasks/text/embedding_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "heed/base/error.h"
#include "heed/metrics/relevance.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"

namespace heed::tasks {
namespace {

constexpr int64_t kTop = 10;
constexpr double kSmallest = 1e-12;  // length of a vector

at::Tensor to_length_1(const at::Tensor& vectors) {
  return vectors / vectors.norm(2, -1, /*keepdim=*/true).clamp_min(kSmallest);
}

std::vector<std::string> texts_of(const data::TextGroups& data) {
  std::vector<std::string> texts;
  for (const data::TextGroup& group : data.groups) {
    texts.push_back(group.anchor);
    texts.push_back(group.positive);
    if (!group.negative.empty()) texts.push_back(group.negative);
  }
  return texts;
}

// Texts, each once, by their numbers.
class Numbered {
 public:
  int64_t number_of(const std::string& text) {
    const auto [place, is_new] = numbers_.emplace(text, std::ssize(texts_));
    if (is_new) texts_.push_back(text);
    return place->second;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::map<std::string, int64_t> numbers_;
  std::vector<std::string> texts_;
};

at::Tensor vectors_of(const TextEmbedder& embedder, const TextIds& texts,
                      const Progress& progress) {
  return to_length_1(embed(embedder, texts, progress).to(at::kDouble));
}

}  // namespace

// What is measured, each text once, as token ids.
struct EncodedGroups {
  // Of judged pairs all texts; of others the anchors.
  TextIds texts = {};
  // Of judged pairs, by the numbers of their texts.
  std::vector<int64_t> first = {}, second = {};
  std::vector<double> scores = {};
  // Of others what may be found, and the numbers of what each anchor asks for.
  TextIds documents = {};
  std::vector<std::set<int64_t>> wanted = {};
};

namespace {

EncodedGroups encoded(const TextEmbedder& embedder, const data::TextGroups& data) {
  check_usage(!data.groups.empty(), "embed: expected at least one pair of texts, got none");
  EncodedGroups result;
  Numbered texts, documents;
  for (const data::TextGroup& group : data.groups) {
    const int64_t anchor = texts.number_of(group.anchor);
    if (data.judged) {
      result.first.push_back(anchor);
      result.second.push_back(texts.number_of(group.positive));
      result.scores.push_back(group.score.value());
      continue;
    }
    if (anchor == std::ssize(result.wanted)) result.wanted.emplace_back();
    result.wanted[static_cast<size_t>(anchor)].insert(documents.number_of(group.positive));
    if (!group.negative.empty()) documents.number_of(group.negative);
  }
  result.texts = encoded(embedder, texts.texts());
  result.documents = encoded(embedder, documents.texts());
  return result;
}

Metrics of_judged(const TextEmbedder& embedder, const EncodedGroups& data,
                  const Progress& progress) {
  const at::Tensor vectors = vectors_of(embedder, data.texts, progress);
  const at::Tensor cosines = (vectors.index_select(0, at::tensor(data.first, at::kLong)) *
                              vectors.index_select(0, at::tensor(data.second, at::kLong)))
                                 .sum(-1)
                                 .contiguous();
  const std::span<const double> found(cosines.const_data_ptr<double>(), data.scores.size());
  return {{"spearman", metrics::spearman(found, data.scores)},
          {"examples", static_cast<double>(data.scores.size())}};
}

Metrics of_queries(const TextEmbedder& embedder, const EncodedGroups& data,
                   const Progress& progress) {
  ProgressInParts parts(progress, std::ssize(data.texts) + std::ssize(data.documents));
  const at::Tensor asked = vectors_of(embedder, data.texts, parts.next(std::ssize(data.texts)));
  const at::Tensor found =
      vectors_of(embedder, data.documents, parts.next(std::ssize(data.documents)));
  double ndcg = 0, reciprocal = 0;
  for (size_t q = 0; q < data.wanted.size(); ++q) {
    const at::Tensor order =
        found.mv(asked[static_cast<int64_t>(q)]).argsort(/*stable=*/true, -1, /*descending=*/true);
    std::vector<double> gains(static_cast<size_t>(order.numel()));
    for (size_t i = 0; i < gains.size(); ++i) {
      gains[i] = data.wanted[q].count(order.const_data_ptr<int64_t>()[i]) > 0 ? 1 : 0;
    }
    ndcg += metrics::ndcg(gains, kTop);
    const auto first = std::find(gains.begin(), gains.end(), 1.0) - gains.begin();
    if (first < kTop) reciprocal += 1 / (static_cast<double>(first) + 1);
  }
  const auto count = static_cast<double>(data.wanted.size());
  return {{"ndcg@10", ndcg / count}, {"mrr@10", reciprocal / count}, {"examples", count}};
}

Metrics measured_groups(const TextEmbedder& embedder, const EncodedGroups& groups,
                        const Progress& progress) {
  return groups.scores.empty() ? of_queries(embedder, groups, progress)
                               : of_judged(embedder, groups, progress);
}

}  // namespace

Metrics evaluate(const TextEmbedder& embedder, const data::TextGroups& groups,
                 const Progress& progress) {
  return measured_groups(embedder, encoded(embedder, groups), progress);
}

EmbeddingTraining::EmbeddingTraining(const data::TextGroups& train, data::TextGroups valid,
                                     const EmbeddingTrainingOptions& options, TextEmbedder embedder)
    : options_(options), embedder_(std::move(embedder)), valid_(std::move(valid)) {
  visit_fields(options, nn::FieldCheck());
  check_usage(!train.judged, train.file,
              ": expected pairs, or pairs with a negative, to learn from, found pairs with scores, "
              "which are for validation");
  for (const data::TextGroup& group : train.groups) {
    std::vector<std::vector<int32_t>> ids;
    for (const std::string* text : {&group.anchor, &group.positive, &group.negative}) {
      if (!text->empty()) ids.push_back(embedder_.tokenizer->encode_ids(*text));
    }
    int64_t tokens = 0;
    for (const auto& each : ids) tokens += std::ssize(each);
    lengths_.push_back(tokens);
    groups_.push_back(std::move(ids));
  }
  valid_groups_ = std::make_shared<const EncodedGroups>(encoded(embedder_, valid_));
  cut_ += cut_texts(embedder_, train);
  cut_ += cut_texts(embedder_, valid_);
}

CutTexts cut_texts(const TextEmbedder& embedder, const data::TextGroups& groups) {
  return cut_texts(embedder, texts_of(groups));
}

std::vector<Source> EmbeddingTraining::sources() const {
  return {source_of("training data", [&](Checksum& sum) { sum.add(groups_); }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      sum.add(texts_of(valid_));
                      for (const data::TextGroup& group : valid_.groups) {
                        sum.add(group.score.value_or(0));
                      }
                    }),
          source_of("tokenizer", *embedder_.tokenizer)};
}

std::unique_ptr<GroupBatch> EmbeddingTraining::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<GroupBatch>(std::move(examples));
  models::IdRows rows;
  for (size_t part = 0; part < 3; ++part) {
    for (const int64_t number : batch->examples) {
      const auto& group = groups_[static_cast<size_t>(number)];
      if (part < group.size()) rows.push_back(&group[part]);
    }
  }
  for (const int64_t number : batch->examples) {
    batch->tokens += lengths_[static_cast<size_t>(number)];
  }
  batch->texts = models::text_batch(rows, embedder_.model->model()->pad_token_id());
  return batch;
}

Loss EmbeddingTraining::loss_of(const GroupBatch& groups) {
  const auto count = std::ssize(groups.examples);
  const at::Device device = device_of(*embedder_.model);
  const at::Tensor vectors =
      to_length_1(embedder_.model->forward(groups.texts.to(device)).to(at::kFloat));
  const at::Tensor anchors = vectors.narrow(0, 0, count);
  const at::Tensor candidates = vectors.slice(0, count);
  const at::Tensor logits = anchors.matmul(candidates.t()) * options_.scale;
  return {
      .value = heed::cross_entropy(logits, at::arange(count, logits.options().dtype(at::kLong))),
      .tokens = groups.tokens,
      .weight = static_cast<double>(count)};
}

Metrics EmbeddingTraining::validate(const Progress& progress) {
  return measured_groups(embedder_, *valid_groups_, progress);
}

Watched EmbeddingTraining::watched(const std::string& name) const {
  return watched_among(watchable(), name, valid_.judged ? "spearman" : "ndcg@10");
}

void EmbeddingTraining::save(const std::filesystem::path& directory) const {
  embedder_.model->save(directory, embedder_.max_length);
}

}  // namespace heed::tasks
