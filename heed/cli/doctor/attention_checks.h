// What the attention of a trained model looks like in a few texts, and whether that is sound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/cli/attention_view.h"
#include "heed/cli/task_adapter.h"
#include "heed/doctor/finding.h"

namespace heed::cli {

// Looks at what a model attended to, one text after the other.
class AttentionChecks {
 public:
  // `part`: "encoder" of a model with several attentions, else empty.
  explicit AttentionChecks(std::string part = "") : part_(std::move(part)) {}

  // Texts of fewer than 4 tokens say nothing of a head and are left out.
  void add(const AttentionView& view);

  // Rows that do not sum to one, weights or outputs that are no numbers: stop. Heads that in all
  // texts give nothing on, look everywhere alike, or look at one place only.
  void report(doctor::Report& report) const;

 private:
  // Of one head, over all texts.
  struct Head {
    int64_t not_finite = 0;   // rows
    int64_t not_one = 0;      // rows
    double worst_sum = 1;     // the sum that is furthest from 1
    double least_spread = 2;  // entropy ÷ that of looking everywhere alike, the least of all texts
    double least_place = 2;   // share of the look at the first, the last or one relative place
    std::string place;        // in the last text
    double most_output = 0;   // its output's root mean square ÷ the largest of its layer's heads
    bool has_output = false;
  };
  void add_layer(const AttentionView& view, int64_t layer);
  std::string name_of(size_t layer, size_t head) const;
  template <typename Wanted>
  std::vector<std::string> heads_that(const Wanted& wanted) const;
  void report_broken_heads(doctor::Report& report) const;
  void report_idle_heads(doctor::Report& report) const;

  std::string part_;
  int64_t texts_ = 0;
  int64_t rows_ = 0;
  std::vector<std::vector<Head>> layers_;
};

// Whether the answers to `texts` are the same alone and in a batch with longer ones, and whether
// any key behind the end of a text receives a weight there. `texts`: some, of different lengths,
// each a line that the model can read.
void check_padding(const TaskAdapter& model, const std::vector<std::string>& texts,
                   doctor::Report& report);

}  // namespace heed::cli
