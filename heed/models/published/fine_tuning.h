// What of a published model learns when it is trained further.
#pragma once

#include <cstdint>

#include "heed/models/published/published.h"

namespace heed::models::published {

struct FineTuningOptions {
  AdapterOptions adapter = {};
  bool merge_adapter = false;  // what is saved has the adapter in its weights
  bool freeze_embeddings = false;
  int64_t freeze_layers = 0;  // of each stack, the first so many, and the embeddings
};

template <nn::OptionsOf<FineTuningOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  constexpr const char* kTuning = "Fine-tuning (--from)";
  visit_fields(o.adapter, visit);
  visit(nn::Field{.name = "merge_adapter",
                  .help = "LoRA: save the whole model with the adapter in its weights, and not the "
                          "adapter alone",
                  .group = kTuning},
        o.merge_adapter);
  visit(nn::Field{.name = "freeze_embeddings",
                  .help = "The embeddings of the model stay as they are",
                  .group = kTuning},
        o.freeze_embeddings);
  visit(nn::Field{.name = "freeze_layers",
                  .help = "So many layers, the first ones, and the embeddings stay as they are",
                  .most = nn::kMostLayers,
                  .group = kTuning},
        o.freeze_layers);
}

// Makes the model ready to learn so. Throws UsageError for options that cannot be used together or
// with this model.
void prepare(Published& model, const FineTuningOptions& options);

}  // namespace heed::models::published
