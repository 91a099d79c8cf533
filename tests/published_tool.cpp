// What tests/python/test_published.py asks of published models. Each line of standard input is a
// JSON object:
//
//   {"directory": …, "inputs": FILE, "outputs": FILE}   and, where wanted,
//   "save": DIRECTORY, "gradients": DIRECTORY, "merged": DIRECTORY, "purpose": …, "labels": […],
//   "model_type": …, "attention": true, "encoded": true, "written": [first row, …]
//
// `inputs` is a safetensors file with input_ids, attention_mask, token_type_ids, decoder_input_ids
// (I64), or pixel_values (F32); `outputs` gets logits, rows beginning with their first real token,
// and, with `attention`, the weights of each layer: self.0, cross.0; with `encoded`, what the
// encoder of a sound gives. With `written`, the answer has what the model writes behind these rows
// of input_ids. With `gradients`, the gradients of the sum of logits · weight (of the inputs) are
// saved in place of the parameters; with `merged`, the whole model with its adapter in the weights.
// Prints for each line what the model said of itself, or the
// error.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "heed/base/error.h"
#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"
#include "heed/io/json.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/published/published.h"
#include "heed/tasks/generation/language_model_decoder.h"
#include "heed/tasks/generation/published_rules.h"
#include "heed/tasks/generation/sequence_to_sequence_decoder.h"

namespace {

using heed::Json;
using heed::models::TextBatch;
using heed::models::published::LoadOptions;
using heed::models::published::Published;
using heed::models::published::Purpose;

at::Tensor tensor_of(const heed::Safetensors& file, const char* name) {
  const heed::StoredTensor* stored = file.find(name);
  if (stored == nullptr) return {};
  void* data = const_cast<std::byte*>(stored->data);
  const bool whole = stored->dtype == heed::SafetensorsDtype::kI64;
  return at::from_blob(data, stored->shape, whole ? at::kLong : at::kFloat).clone();
}

TextBatch batch_of(const heed::Safetensors& file, const char* ids, const char* mask) {
  const at::Tensor tokens = tensor_of(file, ids);
  const at::Tensor real = tensor_of(file, mask);
  if (!real.defined()) return {.ids = tokens};
  return heed::models::text_batch_from_mask(tokens, real, tensor_of(file, "token_type_ids"));
}

std::optional<Purpose> purpose_of(const Json& request) {
  if (!request.contains("purpose")) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(Purpose::kImageClassification); ++i) {
    const auto purpose = static_cast<Purpose>(i);
    if (heed::models::published::name_of(purpose) == request["purpose"].get<std::string>()) {
      return purpose;
    }
  }
  throw heed::UsageError("no such purpose");
}

void write(const std::string& file, const std::map<std::string, at::Tensor>& tensors) {
  std::vector<heed::StoredTensor> stored;
  for (const auto& [name, tensor] : tensors) {
    stored.push_back({.name = name,
                      .dtype = tensor.scalar_type() == at::kLong ? heed::SafetensorsDtype::kI64
                                                                 : heed::SafetensorsDtype::kF32,
                      .shape = tensor.sizes().vec(),
                      .data = static_cast<const std::byte*>(tensor.const_data_ptr()),
                      .bytes = tensor.nbytes()});
  }
  heed::write_safetensors(file, stored);
}

// What follows row `row` of the source, by the model's generation_config.json: greedy, or by beams.
std::vector<int64_t> written(const Published& model, const TextBatch& source, int64_t row) {
  namespace inference = heed::inference;
  const int64_t length = source.lengths[row].item<int64_t>();
  at::Tensor ids = source.ids[row].slice(0, 0, length).unsqueeze(0);
  const auto& usual = model.generation();
  std::unique_ptr<inference::StepDecoder> decoder;
  if (model.encoder_decoder()) {
    decoder = std::make_unique<heed::tasks::SequenceToSequenceDecoder>(model.encoder_decoder(),
                                                                       TextBatch{.ids = ids});
    ids = at::full({1, 1}, usual.decoder_start_token_id.value(), at::kLong);
  } else {
    decoder = std::make_unique<heed::tasks::LanguageModelDecoder>(model.language_model());
  }
  const inference::LogitRules rules = heed::tasks::logit_rules(usual, ids.size(1));
  const int64_t least = least_new_tokens(usual, ids.size(1));
  if (usual.num_beams > 1) {
    return inference::beam_search(
               *decoder, ids,
               {.num_beams = usual.num_beams,
                .length_penalty = usual.length_penalty,
                .early_stopping = heed::tasks::early_stopping(usual, usual.num_beams),
                .max_new_tokens = usual.max_new_tokens.value(),
                .min_new_tokens = least,
                .eos_token_ids = usual.eos_token_ids,
                .rules = rules})[0][0]
        .ids;
  }
  const auto* first = ids.const_data_ptr<int64_t>();
  return inference::generate(*decoder, {first, first + ids.numel()},
                             {.sampling = {.temperature = 0},
                              .rules = rules,
                              .max_new_tokens = usual.max_new_tokens.value(),
                              .min_new_tokens = least,
                              .eos_token_ids = usual.eos_token_ids})[0]
      .ids;
}

void add_weights(const std::string& name, const std::vector<at::Tensor>& layers,
                 std::map<std::string, at::Tensor>& outputs) {
  for (size_t i = 0; i < layers.size(); ++i) {
    outputs[name + "." + std::to_string(i)] = layers[i].detach().to(at::kFloat).contiguous();
  }
}

at::Tensor encoded(const Published& model, const heed::Safetensors& file) {
  const at::Tensor frames = tensor_of(file, "input_features").transpose(1, 2);
  return model.encoder_decoder()->encode(frames).states.detach().contiguous();
}

Json answer(const Json& request) {
  LoadOptions options{.model_type = request.value("model_type", ""),
                      .purpose = purpose_of(request),
                      .labels = request.value("labels", std::vector<std::string>())};
  const auto model = heed::load(request["directory"].get<std::string>(), options);
  const auto file = heed::Safetensors::from_file(request["inputs"].get<std::string>());
  const TextBatch source = file.find("input_ids") != nullptr
                               ? batch_of(file, "input_ids", "attention_mask")
                               : TextBatch{};
  const bool learns = request.contains("gradients");
  const c10::AutoGradMode gradients(learns);
  heed::nn::AttentionTrace weights;
  heed::nn::AttentionTrace* trace = request.contains("attention") ? &weights : nullptr;
  at::Tensor logits;
  if (model->image_encoder()) {
    logits = model->forward(tensor_of(file, "pixel_values"));
  } else if (model->purpose() == Purpose::kSpeechToText) {
    logits = model->forward(tensor_of(file, "input_features").transpose(1, 2),
                            batch_of(file, "decoder_input_ids", "decoder_attention_mask"));
  } else if (model->purpose() == Purpose::kConditionalGeneration) {
    logits = model->forward(source, batch_of(file, "decoder_input_ids", "decoder_attention_mask"),
                            trace);
  } else {
    logits = model->forward(source, trace);
  }
  std::map<std::string, at::Tensor> outputs = {{"logits", logits.detach().contiguous()}};
  if (model->image_encoder() && model->purpose() == Purpose::kFeatures) {
    outputs["pooled"] = model->pooler_output(tensor_of(file, "pixel_values")).detach().contiguous();
  } else if (model->purpose() == Purpose::kFeatures && model->head()) {
    outputs["pooled"] = model->pooler_output(source).detach().contiguous();
  }
  if (request.contains("encoded")) outputs["encoded"] = encoded(*model, file);
  add_weights("self", weights.weights, outputs);
  add_weights("cross", weights.cross_weights, outputs);
  Json texts = Json::array();
  for (const auto& row : request.value("written", std::vector<int64_t>())) {
    texts.push_back(written(*model, source, row));
  }
  if (request.contains("save")) model->save(request["save"].get<std::string>());
  if (request.contains("merged")) {
    model->merge_adapter();
    model->save(request["merged"].get<std::string>());
  }
  if (learns) {
    (logits * tensor_of(file, "weight")).sum().backward();
    const c10::AutoGradMode off(false);
    for (auto& parameter : model->parameters()) {
      parameter.copy_(parameter.grad().defined() ? parameter.grad() : at::zeros_like(parameter));
    }
    model->save(request["gradients"].get<std::string>());
  }
  write(request["outputs"].get<std::string>(), outputs);
  return {{"architecture", model->model_type()},
          {"purpose", heed::models::published::name_of(model->purpose())},
          {"labels", model->labels()},
          {"written", texts},
          {"left_out", model->left_out()},
          {"fresh", model->fresh()}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    Json said;
    try {
      said = answer(Json::parse(line));
    } catch (const std::exception& error) {
      said = {{"error", error.what()}};
    }
    std::cout << said.dump() << std::endl;
  }
}
