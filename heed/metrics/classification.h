// Measures of classification: one class a text, or any number of labels.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace heed::metrics {

// Precision, recall and F1, their harmonic mean; each 0 where its denominator is.
struct PrecisionRecall {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  int64_t support = 0;  // how many there are in the reference
};

// From counts: right ones, all that were predicted, all that are in the reference.
PrecisionRecall precision_recall(int64_t correct, int64_t predicted, int64_t actual);

// The mean of several, each with the same weight or with its support as weight.
enum class Average : uint8_t { kMacro, kWeighted };
PrecisionRecall mean_of(std::span<const PrecisionRecall> scores, Average weights);

// How often each class was predicted for each class. Takes the memory of what was counted, not of
// all pairs of classes.
class ConfusionMatrix {
 public:
  // Of more classes text() is no matrix any more, which nobody could read.
  static constexpr int64_t kMostShown = 100;

  struct Cell {
    int64_t actual = 0;
    int64_t predicted = 0;
    int64_t count = 0;
  };

  // UsageError: fewer than one class.
  explicit ConfusionMatrix(int64_t classes);

  // UsageError: a class outside [0, classes()).
  void add(int64_t actual, int64_t predicted);

  int64_t classes() const { return static_cast<int64_t>(actual_.size()); }
  int64_t total() const { return total_; }
  int64_t count(int64_t actual, int64_t predicted) const;

  // All that are not 0, a row of the matrix after the other.
  std::vector<Cell> cells() const;

  double accuracy() const;  // 0 where nothing was added
  PrecisionRecall of_class(int64_t c) const;
  std::vector<PrecisionRecall> per_class() const;
  double macro_f1() const;

  // Tables for people, with a line break at the end of each line; `labels` has a name for each
  // class. UsageError: another number of names.
  std::string text(std::span<const std::string> labels) const;    // the matrix, or of many classes
                                                                  // what was confused most often
  std::string report(std::span<const std::string> labels) const;  // per class, with the means

 private:
  std::string most_frequent(std::span<const std::string> labels) const;

  int64_t total_ = 0;
  std::map<std::pair<int64_t, int64_t>, int64_t> counts_;  // of (actual, predicted)
  std::vector<int64_t> actual_;                            // of each class
  std::vector<int64_t> predicted_;
  std::vector<int64_t> correct_;
};

// Texts with any number of labels each.
class LabelCounts {
 public:
  explicit LabelCounts(int64_t labels);

  // The labels of one text and those that were predicted: indices, sorted, each once.
  // UsageError: a label outside [0, labels).
  void add(std::span<const int32_t> actual, std::span<const int32_t> predicted);

  std::vector<PrecisionRecall> per_label() const;
  PrecisionRecall micro() const;
  PrecisionRecall macro() const;
  double exact_share() const;  // of the texts whose labels are all right and complete

  // A table for people as that of a confusion matrix, with the micro mean first of the means.
  std::string report(std::span<const std::string> labels) const;

 private:
  std::vector<int64_t> correct_;
  std::vector<int64_t> predicted_;
  std::vector<int64_t> actual_;
  int64_t texts_ = 0;
  int64_t exact_ = 0;
};

// A table of scores with a name each.
std::string score_table(std::span<const std::string> names,
                        std::span<const PrecisionRecall> scores);

}  // namespace heed::metrics
