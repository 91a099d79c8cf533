#include "heed/models/published/fine_tuning.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/nn/parameters/parameter_names.h"

namespace heed::models::published {
namespace {

bool is_of_embeddings(const std::string& parameter) {
  constexpr std::array<std::string_view, 7> kInputs = {
      "encoder.input.",          "language_model.input.", "encoder_decoder.source.",
      "encoder_decoder.target.", "image_encoder.patch_",  "image_encoder.whole",
      "image_encoder.positions"};
  return std::any_of(kInputs.begin(), kInputs.end(),
                     [&](std::string_view each) { return parameter.starts_with(each); });
}

void freeze_layers(Published& model, const FineTuningOptions& options) {
  int64_t last = -1;
  for (auto& item : model.named_parameters()) {
    const int64_t layer = nn::layer_in(item.key());
    last = std::max(last, layer);
    const bool frozen =
        is_of_embeddings(item.key()) || (layer >= 0 && layer < options.freeze_layers);
    if (frozen) item.value().requires_grad_(false);
  }
  check_usage(options.freeze_layers <= last + 1, "freeze_layers: expected at most ", last + 1,
              ", the layers of this model, got ", options.freeze_layers);
}

}  // namespace

void prepare(Published& model, const FineTuningOptions& options) {
  visit_fields(options, nn::FieldCheck());
  const bool freezes = options.freeze_embeddings || options.freeze_layers > 0;
  if (options.adapter.lora_r > 0) {
    model.add_adapter(options.adapter);
  } else if (model.has_adapter()) {
    model.freeze_but_adapter();
  }
  check_usage(!freezes || !model.has_adapter(),
              "freeze_layers, freeze_embeddings: have no meaning beside an adapter, with which all "
              "of the model stays as it is");
  check_usage(model.has_adapter() || !options.merge_adapter,
              "merge_adapter: expected an adapter to merge (lora_r), found none");
  if (model.has_adapter()) model.set_saved_merged(options.merge_adapter);
  if (freezes) freeze_layers(model, options);
}

}  // namespace heed::models::published
