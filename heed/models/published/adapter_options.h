// What a low-rank adapter of a published model is to be (LoRA, DoRA). heed/nn/parameters/low_rank.h
#pragma once

#include <cstdint>
#include <string>

#include "heed/nn/fields.h"

namespace heed::models::published {

// The names of peft's LoraConfig; r is its r.
struct AdapterOptions {
  int64_t lora_r = 0;  // 0: no adapter
  double lora_alpha = 16;
  double lora_dropout = 0;
  // Names of linear layers, or ends of them, commas between; "auto": what makes queries and values;
  // "all-linear": all but the head.
  std::string target_modules = "auto";
  bool use_dora = false;
};

template <nn::OptionsOf<AdapterOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto tuning = [](nn::Field field) {
    field.group = "Fine-tuning (--from)";
    return field;
  };
  visit(tuning({.name = "lora_r",
                .help = "Rank of a LoRA adapter: it and the head are what learns; 0: none",
                .most = 1 << 16}),
        o.lora_r);
  visit(tuning({.name = "lora_alpha",
                .help = "LoRA: its product is scaled by this over the rank",
                .most = 1e9,
                .above = true}),
        o.lora_alpha);
  visit(tuning(nn::share_field("lora_dropout", "LoRA: dropout of what it reads")), o.lora_dropout);
  visit(
      tuning({.name = "target_modules",
              .help = "LoRA: ends of the names of linear layers, commas between; auto: what makes "
                      "queries and values; all-linear: all but the head"}),
      o.target_modules);
  visit(tuning({.name = "use_dora", .help = "LoRA that learns the length of each row too"}),
        o.use_dora);
}

}  // namespace heed::models::published
