#include "heed/models/table_transformer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"
#include "heed/ops/embedding.h"

namespace heed::models {

void check(const TableTransformerOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.transformer);
  check_usage(o.transformer.before_attention == "none",
              "before_attention: the columns of a table have no order, expected none, got '",
              o.transformer.before_attention, "'");
  check_usage(o.num_numbers + o.num_categories > 0, "columns: expected at least one, got none");
  check_usage(o.transformer.attention.positions == "none",
              "positions: expected none, as columns have no order, got ",
              o.transformer.attention.positions);
}

TableTransformer::TableTransformer(const TableTransformerOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& transformer = options.transformer;
  const int64_t size = transformer.d_model;
  const double reach = 1 / std::sqrt(static_cast<double>(size));
  const auto parameter = [&](const char* name, at::IntArrayRef shape) {
    return register_parameter(
        name, nn::init_is_on() ? at::empty(shape).uniform_(-reach, reach) : at::empty(shape));
  };
  reader_ = parameter("reader", {size});
  if (options.num_numbers > 0) {
    number_weight_ = parameter("number_weight", {options.num_numbers, number_size(options), size});
    number_bias_ = parameter("number_bias", {options.num_numbers, size});
    gap_ = register_parameter("gap", at::zeros({options.num_numbers, size}));
  }
  if (options.num_categories > 0) {
    category_ = parameter("category", {options.num_category_vectors, size});
    category_bias_ = parameter("category_bias", {options.num_categories, size});
  }
  encoder_ = register_module(
      "encoder", std::make_shared<nn::Encoder>(transformer.num_layers, layer_options(transformer)));
  output_ = register_module("output", std::make_shared<nn::Linear>(nn::LinearOptions{
                                          .in = size, .out = options.num_outputs}));
  nn::init_linear_layers(*this, nn::init_from(transformer.init));
}

void TableTransformer::start_at_zero(const at::Tensor& categories) {
  const c10::AutoGradMode no_gradients(false);
  category_.masked_fill_(categories.unsqueeze(1), 0);
}

at::Tensor TableTransformer::tokens(const TableBatch& batch) const {
  const TableTransformerOptions& o = options_;
  const int64_t rows = o.num_numbers > 0 ? batch.numbers.size(0) : batch.categories.size(0);
  std::vector<at::Tensor> parts = {reader_.expand({rows, 1, -1})};
  if (o.num_numbers > 0) {
    check_usage(batch.numbers.sizes() == at::IntArrayRef({rows, o.num_numbers, number_size(o)}),
                "numbers: expected (B, ", o.num_numbers, ", ", number_size(o), "), got ",
                batch.numbers.sizes());
    // Each column by its own weights: Fn products (B, K) · (K, C).
    const at::Tensor numbers = at::bmm(batch.numbers.transpose(0, 1), number_weight_);
    parts.push_back(numbers.transpose(0, 1) + number_bias_ + batch.gaps.unsqueeze(2) * gap_);
  }
  if (o.num_categories > 0) {
    check_usage(batch.categories.sizes() == at::IntArrayRef({rows, o.num_categories}),
                "categories: expected (B, ", o.num_categories, "), got ", batch.categories.sizes());
    parts.push_back(heed::embedding(category_, batch.categories) + category_bias_);
  }
  return at::cat(parts, 1);
}

at::Tensor TableTransformer::forward(const TableBatch& batch, nn::AttentionTrace* trace) const {
  const double dropout = is_training() ? options_.transformer.embedding_dropout : 0;
  const at::Tensor x = heed::dropout(tokens(batch), {.probability = dropout});
  const at::Tensor read = encoder_->forward(x, Pattern::full(), trace).select(1, 0);
  return output_->forward(at::relu(read));
}

}  // namespace heed::models
