// A detector of objects: an encoder reads the patches of a picture, a decoder turns queries into
// objects, each a class and a box. As in DETR (Carion et al. 2020) the queries attend to each other
// and to the picture, and what they find is a set.
//
//   images -> stem -> patches (B, P, C) + positions -> encoder -> memory (B, P, C)
//   memory -> of each patch a class and a box; the Q likeliest patches become the queries
//   each layer: query + position of its box -> decoder layer over the memory -> a class and a
//   better box, which the next layer begins with
//
// So each query begins at a place of its own, and learning takes a fraction of DETR's epochs: the
// choice among patches and the refinement of boxes are those of Zhu et al. 2021, "Deformable DETR",
// section 4.2, with whole attention; the position that is made of a query's box is that of Liu et
// al. 2022, "DAB-DETR: Dynamic Anchor Boxes are Better Queries for DETR".
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/parts/image_stem.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/transformer/decoder_layer.h"

namespace heed::models {

struct ObjectDetectorOptions {
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 1;
  int64_t num_classes = 0;  // "no object" is one more
  int64_t patch_size = 8;
  std::string stem = "convolution";  // how a patch becomes a token: see ImageStemOptions
  int64_t num_queries = 20;          // objects that can be found in a picture; at most its patches
  int64_t num_decoder_layers = 3;
  // positions: "sinusoidal", of rows and columns; "learned", a table; "none" and those inside
  // attention, of patches one after the other.
  TransformerOptions transformer = {.d_model = 96,
                                    .num_heads = 4,
                                    .num_layers = 3,
                                    .d_ff = 192,
                                    .init = "xavier_uniform",
                                    .dropout = 0,
                                    .attention_dropout = 0,
                                    .embedding_dropout = 0};
};

template <nn::OptionsOf<ObjectDetectorOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit_image_fields(o, visit);
  visit(nn::size_field("num_classes"), o.num_classes);
  visit(nn::size_field("num_queries",
                       "Queries of the decoder, each of which finds one object at most: give more "
                       "than a picture has objects"),
        o.num_queries);
  visit(nn::layers_field("num_decoder_layers", "Layers of the decoder"), o.num_decoder_layers);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const ObjectDetectorOptions& options);

PatchGrid patch_grid(const ObjectDetectorOptions& options);

// What stands in a place of a picture, of Q of them.
struct FoundBoxes {
  at::Tensor logits;  // (B, Q, classes + 1), the last one "no object"
  at::Tensor boxes;   // (B, Q, 4): centre x, y, width, height as shares of the picture, 0 to 1
};

// A stack of linear layers with ReLU between them, C → C → C → 4, whose answer starts as 0.
class BoxHead : public torch::nn::Module {
 public:
  explicit BoxHead(int64_t d_model);
  at::Tensor forward(const at::Tensor& input) const;  // (…, C) -> (…, 4)
  void start_at_zero();

  std::shared_ptr<nn::Linear> first;
  std::shared_ptr<nn::Linear> second;
  std::shared_ptr<nn::Linear> last;
};

class ObjectDetector : public torch::nn::Module {
 public:
  explicit ObjectDetector(const ObjectDetectorOptions& options);

  // (B, channels, height, width), standardised -> what the patches say, Q being their number, then
  // what each decoder layer says; the last one is the answer. `trace` gets the attention among the
  // patches, then among the queries, and of the queries to the patches.
  std::vector<FoundBoxes> forward(const at::Tensor& images,
                                  nn::AttentionTrace* trace = nullptr) const;

  const ObjectDetectorOptions& options() const { return options_; }

 private:
  // Made by each pass and not kept: config.json may claim any size of a picture, and weights do not
  // say it.
  struct Patches {
    at::Tensor boxes;  // (P, 4): the centre of each, and the size that a box starts with
    at::Tensor sines;  // (P, C): of the centres
  };
  struct Queries {
    at::Tensor states;  // (B, Q, C)
    at::Tensor boxes;   // (B, Q, 4), without a graph
  };
  Patches patches(const at::Device& device) const;
  at::Tensor encoded(const at::Tensor& images, const Patches& patches,
                     nn::AttentionTrace* trace) const;
  FoundBoxes said_by_patches(const at::Tensor& memory, const Patches& patches) const;
  Queries chosen(const at::Tensor& memory, const FoundBoxes& said) const;
  at::Tensor query_positions(const at::Tensor& boxes) const;

  ObjectDetectorOptions options_;
  ImageStem stem_;
  at::Tensor table_;  // (P, C): learned; undefined: there is none
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> patch_class_;
  std::shared_ptr<BoxHead> patch_box_;
  std::shared_ptr<nn::Linear> query_hidden_;  // of what is made of a box: 2 · C → C → C
  std::shared_ptr<nn::Linear> query_position_;
  std::vector<std::shared_ptr<nn::DecoderLayer>> layers_;
  nn::Norm norm_;  // none with post-norm
  std::shared_ptr<nn::Linear> class_;
  std::shared_ptr<BoxHead> box_;
};

// Sines and cosines of shares from 0 to 1: (…) -> (…, size), of half a wave over the picture up to
// eight, in even ratios: of positions that are shares, what the sinusoids of Vaswani et al. 2017
// are of positions that are counted. `size`: even.
at::Tensor sines_of_shares(const at::Tensor& shares, int64_t size);

}  // namespace heed::models
