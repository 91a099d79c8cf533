// Learning what a user takes next.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "heed/data/interactions/interaction_data.h"
#include "heed/models/files/recommender_files.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/ranking/ranking_evaluation.h"

namespace heed::tasks {

struct RecommendationOptions {
  models::RecommenderOptions model;  // the number of items is read from the data
  // Negative samples: items drawn evenly for each batch, against which the next one is learnt; 0:
  // all. The best scores are those of a softmax over all items, however many are drawn.
  //                       Ma and Collins 2018, "Noise contrastive estimation and negative sampling"
  int64_t num_negatives = 128;
  int64_t valid_users = 10'000;  // that are validated on at most
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<RecommendationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(
      nn::Field{
          .name = "num_negatives",
          .help =
              "Negative samples: items drawn for each batch, against which the next item is learnt",
          .most = nn::kLargestSize,
          .zero = "all items"},
      o.num_negatives);
  visit(nn::Field{.name = "valid_users",
                  .help = "Users that are validated on, at most: the last item but one of each",
                  .least = 1,
                  .most = 1e12,
                  .group = "Interactions"},
        o.valid_users);
}

struct HistoryBatch final : Batch {
  using Batch::Batch;
  models::TextBatch items;
  at::Tensor places;   // (R) of the real ones among the B · N
  at::Tensor targets;  // (R): the items that follow them
};

// Of a user with three items or more the last is kept for the test, the one before it validates,
// and the others train, each of them predicted from those before it; of a user with fewer all
// train. A training example is a part of a history of at most max_length items.
class Recommendation final : public TaskOf<HistoryBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. Throws DataError where no user has
  // two items to train on, or none three to validate on.
  Recommendation(const data::InteractionData& data, const data::ItemNames& names,
                 const RecommendationOptions& options);

  std::string name() const override { return "recommend"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<HistoryBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const HistoryBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "ndcg@10");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("hr@10"),         highest("ndcg@10"),
            highest("mrr"), highest("sampled_hr@10"), highest("sampled_ndcg@10")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedRecommender& trained() const { return trained_; }
  // Each user's last item and those before it.
  std::vector<RankingCase> test_cases() const;

 private:
  struct Piece {
    int32_t user;
    int32_t begin;  // of what is read; what is predicted begins one later
    int32_t length;
  };

  int64_t train_length(size_t user) const;  // items of a history that train
  void add_pieces(size_t user);

  RecommendationOptions options_;
  models::TrainedRecommender trained_;
  std::vector<Piece> pieces_;
  std::vector<int64_t> lengths_;
  std::vector<RankingCase> valid_;
};

// The numbers of items by their names.
class KnownItems {
 public:
  explicit KnownItems(const std::vector<std::string>& items);  // which must outlive it

  int32_t number(std::string_view item) const;  // −1: there is none

  // Items of the data, as many, each −1 where the model does not know it.
  std::vector<int32_t> numbers(const std::vector<std::string>& items) const;

 private:
  std::unordered_map<std::string_view, int32_t> numbers_;
};

// Histories of a file as the model numbers its items: the last one of each user is wanted, a user
// with one alone is left out. Items that the model does not know are left out of histories.
struct KnownCases {
  std::vector<RankingCase> cases;
  int64_t unknown = 0;   // interactions with such items
  int64_t left_out = 0;  // users
};
KnownCases known_cases(const models::TrainedRecommender& trained,
                       const data::InteractionData& data);

struct RecommendationEvaluation {
  RankingEvaluation model;
  std::vector<std::pair<std::string, RankingEvaluation>> baselines;
};

// Beside the model: what is popular, and neighbours of items, by the histories of the same cases.
RecommendationEvaluation evaluate(const models::TrainedRecommender& trained,
                                  const std::vector<RankingCase>& cases, const Progress& progress);

// The logits of a model, which must be in evaluation mode.
Ranker ranker_of(const models::Recommender& model);

struct Recommended {
  int32_t item = 0;
  double probability = 0;  // of being taken next
};

struct RecommendOptions {
  int64_t top = 10;
  bool with_seen = false;  // items of the history, too
};

// The best items for a history, the likeliest first. One without any item gets what is taken most
// often.
std::vector<Recommended> recommend(const models::TrainedRecommender& trained,
                                   const std::vector<int32_t>& history,
                                   const RecommendOptions& options = {});

}  // namespace heed::tasks
