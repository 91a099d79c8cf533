// A transformer over the columns of a table: each cell is a token, one more reads them all, and
// what that one becomes gives the classes or the number.
//                        Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data"
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/transformer_options.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct TableTransformerOptions {
  int64_t num_numbers = 0;           // Fn: columns of numbers
  int64_t num_categories = 0;        // Fc: columns of categories
  int64_t num_category_vectors = 0;  // V: of all categories of all columns
  int64_t num_outputs = 1;           // classes, or one number
  int64_t num_bins = 16;             // features of a number besides itself
  TransformerOptions transformer = {.d_model = 64,
                                    .num_heads = 4,
                                    .num_layers = 3,
                                    .d_ff = 170,
                                    .attention = {.positions = "none"},
                                    .activation = "reglu",
                                    .init = "xavier_uniform",
                                    .dropout = 0.1,
                                    .attention_dropout = 0.2,
                                    .embedding_dropout = 0};
};

template <nn::OptionsOf<TableTransformerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto count = [](const char* name) {
    return nn::Field{.name = name, .most = nn::kLargestSize};
  };
  visit(count("num_numbers"), o.num_numbers);
  visit(count("num_categories"), o.num_categories);
  visit(count("num_category_vectors"), o.num_category_vectors);
  visit(nn::size_field("num_outputs"), o.num_outputs);
  visit(nn::Field{.name = "num_bins",
                  .help = "Bins of a column of numbers, each as full as the others: how far a "
                          "number fills each is read beside it; 0: the number alone",
                  .most = 4096},
        o.num_bins);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const TableTransformerOptions& options);

// K: a number itself, and how far it fills each of its bins.
inline int64_t number_size(const TableTransformerOptions& options) { return 1 + options.num_bins; }

// B rows. Categories are rows of the one table of all vectors.
struct TableBatch {
  at::Tensor numbers;     // (B, Fn, K) float32
  at::Tensor gaps;        // (B, Fn) float32, 1 where a number is missing
  at::Tensor categories;  // (B, Fc) int64

  TableBatch to(const at::Device& device) const {
    return {numbers.to(device), gaps.to(device), categories.to(device)};
  }
};

class TableTransformer : public torch::nn::Module {
 public:
  explicit TableTransformer(const TableTransformerOptions& options);

  // -> (B, num_outputs). `trace` gets the attention among the tokens: that which reads them all
  // is the first, then numbers, then categories.
  at::Tensor forward(const TableBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  // The vectors of these categories, (V) bool, start at zero: a column that sees one is where it is
  // on average.
  void start_at_zero(const at::Tensor& categories);

  const TableTransformerOptions& options() const { return options_; }

 private:
  at::Tensor tokens(const TableBatch& batch) const;  // (B, 1 + Fn + Fc, C)

  TableTransformerOptions options_;
  at::Tensor reader_;         // (C)
  at::Tensor number_weight_;  // (Fn, K, C)
  at::Tensor number_bias_;    // (Fn, C)
  at::Tensor gap_;            // (Fn, C)
  at::Tensor category_;       // (V, C)
  at::Tensor category_bias_;  // (Fc, C)
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> output_;
};

}  // namespace heed::models
