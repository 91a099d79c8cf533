// Learning to give texts vectors, near each other where the texts belong together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/texts/text_groups.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/text/embed.h"

namespace heed::tasks {

struct EmbeddingTrainingOptions {
  double scale = 20;       // of the cosines, as logits
  int64_t max_length = 0;  // see open_text_embedder()
};

template <nn::OptionsOf<EmbeddingTrainingOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "scale",
                  .help = "What cosines are multiplied by in the loss; one over its temperature",
                  .most = 1e6,
                  .above = true,
                  .group = "Training"},
        o.scale);
  visit(nn::Field{.name = "max_length",
                  .help = "Tokens of a text; what is beyond is cut; 0: as many as the model says",
                  .most = nn::kLargestSize},
        o.max_length);
}

// How well vectors do. Of judged pairs: "spearman", between the scores and the cosines. Of others,
// with each anchor a query and all texts that stand behind anchors to be found: "ndcg@10" and
// "mrr@10", means over the anchors, of which a text with several rows has several to find.
// "examples" are pairs or anchors.
Metrics evaluate(const TextEmbedder& embedder, const data::TextGroups& groups,
                 const Progress& progress = {});

struct EncodedGroups;

struct GroupBatch final : Batch {
  using Batch::Batch;
  models::TextBatch texts;  // anchors, then positives, then negatives
  int64_t tokens = 0;
};

// The loss of a batch: to tell the positive of each anchor from all other positives and from the
// negatives, by their cosines as logits.                              Henderson et al. 2017,
//                                      sentence-transformers' MultipleNegativesRankingLoss
class EmbeddingTraining final : public TaskOf<GroupBatch> {
 public:
  // Goes on with a model. Throws UsageError for training data that are judged, and for no
  // validation data.
  EmbeddingTraining(const data::TextGroups& train, data::TextGroups valid,
                    const EmbeddingTrainingOptions& options, TextEmbedder embedder);

  std::string name() const override { return "embed"; }
  torch::nn::Module& module() override { return *embedder_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<GroupBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const GroupBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override;
  static std::vector<Watched> watchable() {
    return {highest("spearman"), highest("ndcg@10"), highest("mrr@10")};
  }
  void save(const std::filesystem::path& directory) const override;

  // Of the training and the validation texts.
  const CutTexts& cut() const { return cut_; }

 private:
  EmbeddingTrainingOptions options_;
  TextEmbedder embedder_;
  // Ids of the anchor, the positive and, where there is one, the negative of each group.
  std::vector<std::vector<std::vector<int32_t>>> groups_;
  std::vector<int64_t> lengths_;  // tokens of a group
  data::TextGroups valid_;
  std::shared_ptr<const EncodedGroups> valid_groups_;  // the same as token ids
  CutTexts cut_;
};

// Of the texts of these groups.
CutTexts cut_texts(const TextEmbedder& embedder, const data::TextGroups& groups);

}  // namespace heed::tasks
