#include "heed/models/object_detector.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

constexpr double kFirstSize = 0.2;    // of a box, as share of the picture
constexpr double kEdge = 1e-4;        // that keeps a share from 0 and 1, where its logit ends
constexpr double kFewestWaves = 0.5;  // over a picture
constexpr double kMostWaves = 8;

const ObjectDetectorOptions& usable_detector_options(const ObjectDetectorOptions& options) {
  check(options);
  return options;
}

at::Tensor logit_of(const at::Tensor& shares) { return at::logit(shares, kEdge); }

// (P, 4). Patches may reach beyond the picture.
at::Tensor patch_boxes(const ObjectDetectorOptions& o) {
  const PatchGrid grid = patch_grid(o);
  const auto line = [&](int64_t count, int64_t pixels) {
    return (at::arange(count, at::kFloat) + 0.5) *
           (static_cast<double>(o.patch_size) / static_cast<double>(pixels));
  };
  const at::Tensor x = line(grid.columns, o.image_width).repeat({grid.rows});
  const at::Tensor y = line(grid.rows, o.image_height).repeat_interleave(grid.columns);
  const at::Tensor size = at::full({grid.count()}, kFirstSize);
  return at::stack({x, y, size, size}, 1);
}

at::Tensor rows_of(const at::Tensor& all, const at::Tensor& numbers) {  // (B, P, K), (B, Q)
  return all.gather(1, numbers.unsqueeze(-1).expand({-1, -1, all.size(-1)}));
}

}  // namespace

void check(const ObjectDetectorOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.transformer);
  check(stem_options(o));
  check_usage(o.transformer.d_model % 4 == 0,
              "d_model: expected a multiple of 4, for sines and cosines of two coordinates, got ",
              o.transformer.d_model);
  check_usage(o.num_queries <= patch_grid(o).count(), "num_queries: expected at most ",
              patch_grid(o).count(), ", the patches of a picture of ", o.image_width, " × ",
              o.image_height, " pixels, got ", o.num_queries);
}

PatchGrid patch_grid(const ObjectDetectorOptions& o) { return patch_grid(stem_options(o)); }

at::Tensor sines_of_shares(const at::Tensor& shares, int64_t size) {
  const int64_t waves = size / 2;
  const double step =
      std::log(kMostWaves / kFewestWaves) / static_cast<double>(std::max<int64_t>(1, waves - 1));
  const at::Tensor counts = kFewestWaves * (at::arange(waves, shares.options()) * step).exp();
  const at::Tensor angle = shares.unsqueeze(-1) * counts * (2 * M_PI);
  return at::cat({angle.sin(), angle.cos()}, -1);
}

BoxHead::BoxHead(int64_t d_model) {
  const auto layer = [&](const char* name, int64_t out) {
    return register_module(
        name, std::make_shared<nn::Linear>(nn::LinearOptions{.in = d_model, .out = out}));
  };
  first = layer("first", d_model);
  second = layer("second", d_model);
  last = layer("last", 4);
}

at::Tensor BoxHead::forward(const at::Tensor& input) const {
  const at::Tensor hidden = first->forward(input, Activation::kRelu);
  return last->forward(second->forward(hidden, Activation::kRelu));
}

void BoxHead::start_at_zero() {
  const at::NoGradGuard no_grad;
  last->weight.zero_();
  last->bias.zero_();
}

ObjectDetector::ObjectDetector(const ObjectDetectorOptions& options)
    : options_(usable_detector_options(options)), stem_(*this, stem_options(options)) {
  const TransformerOptions& o = options.transformer;
  const int64_t size = o.d_model;
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return register_module(name,
                           std::make_shared<nn::Linear>(nn::LinearOptions{.in = in, .out = out}));
  };
  if (o.attention.positions == "learned") {
    table_ = at::empty({patch_grid(options).count(), size});
    if (nn::init_is_on()) table_.normal_(0, 0.02);
    table_ = register_parameter("positions", table_);
  }
  encoder_ =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  patch_class_ = linear("patch_class", size, options.num_classes + 1);
  patch_box_ = register_module("patch_box", std::make_shared<BoxHead>(size));
  query_hidden_ = linear("query_hidden", 2 * size, size);
  query_position_ = linear("query_position", size, size);
  nn::LayerOptions layer = layer_options(o);
  layer.d_memory = size;
  // Queries are a set: none of them stands before another.
  layer.attention.positions = "none";
  layer.before_attention = "none";
  for (int64_t i = 0; i < options.num_decoder_layers; ++i) {
    layers_.push_back(
        register_module(text_of("decoder_layer_", i), std::make_shared<nn::DecoderLayer>(layer)));
  }
  if (o.norm_first) norm_ = nn::Norm(*this, "decoder_norm", norm_options(layer));
  class_ = linear("class", size, options.num_classes + 1);
  box_ = register_module("box", std::make_shared<BoxHead>(size));
  nn::init_linear_layers(*this, nn::init_from(o.init));
  if (nn::init_is_on()) {
    patch_box_->start_at_zero();
    box_->start_at_zero();
  }
}

ObjectDetector::Patches ObjectDetector::patches(const at::Device& device) const {
  const int64_t size = options_.transformer.d_model / 2;
  const at::Tensor boxes = patch_boxes(options_).to(device);
  return {.boxes = boxes,
          .sines = at::cat({sines_of_shares(boxes.select(1, 1), size),
                            sines_of_shares(boxes.select(1, 0), size)},
                           1)};
}

at::Tensor ObjectDetector::encoded(const at::Tensor& images, const Patches& patches,
                                   nn::AttentionTrace* trace) const {
  at::Tensor x = stem_.forward(images);
  if (table_.defined()) x = x + table_;
  if (options_.transformer.attention.positions == "sinusoidal") {
    x = x + patches.sines.to(x.options());
  }
  const double dropout = is_training() ? options_.transformer.embedding_dropout : 0;
  return encoder_->forward(heed::dropout(x, {.probability = dropout}), Pattern::full(), trace);
}

FoundBoxes ObjectDetector::said_by_patches(const at::Tensor& memory, const Patches& patches) const {
  const at::Tensor moved = patch_box_->forward(memory);
  return {.logits = patch_class_->forward(memory),
          .boxes = at::sigmoid(moved + logit_of(patches.boxes))};
}

ObjectDetector::Queries ObjectDetector::chosen(const at::Tensor& memory,
                                               const FoundBoxes& said) const {
  at::Tensor numbers;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor objects =
        at::softmax(said.logits.to(at::kFloat), -1).narrow(-1, 0, options_.num_classes);
    numbers = std::get<1>(objects.amax(-1).topk(options_.num_queries, 1));
  }
  return {.states = rows_of(memory, numbers), .boxes = rows_of(said.boxes.detach(), numbers)};
}

// Of a box the sines of its centre, in the order of those of the patches, and of its size.
at::Tensor ObjectDetector::query_positions(const at::Tensor& boxes) const {
  const int64_t size = options_.transformer.d_model / 2;
  std::vector<at::Tensor> sines;
  for (const int64_t i : {1, 0, 3, 2}) sines.push_back(sines_of_shares(boxes.select(-1, i), size));
  return query_position_->forward(query_hidden_->forward(at::cat(sines, -1), Activation::kRelu));
}

std::vector<FoundBoxes> ObjectDetector::forward(const at::Tensor& images,
                                                nn::AttentionTrace* trace) const {
  const Patches places = patches(images.device());
  const at::Tensor memory = encoded(images, places, trace);
  std::vector<FoundBoxes> found = {said_by_patches(memory, places)};
  Queries queries = chosen(memory, found.front());
  const at::Tensor placed = memory + places.sines.to(memory.options());
  for (const auto& layer : layers_) {
    const nn::ProjectedMemory keys = layer->cross_attention->project(placed);
    queries.states = layer->forward(queries.states + query_positions(queries.boxes),
                                    {.self = {.pattern = Pattern::full(), .trace = trace},
                                     .memory = &keys,
                                     .memory_pattern = Pattern::full()});
    const at::Tensor states = norm_.forward(queries.states);
    const at::Tensor boxes = at::sigmoid(box_->forward(states) + logit_of(queries.boxes));
    found.push_back({.logits = class_->forward(states), .boxes = boxes});
    queries.boxes = boxes.detach();
  }
  return found;
}

}  // namespace heed::models
