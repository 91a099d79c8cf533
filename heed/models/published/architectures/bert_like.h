// What BERT and its descendants have in common.
#pragma once

#include "heed/models/published/architecture.h"

namespace heed::models::published {

// The encoder of a config with BERT's names of settings. The position of the first token is row
// `position_offset` of the table.
TextEncoderOptions bert_options(const Config& config, int64_t position_offset = 0);

// embeddings.… and encoder.layer.*.…
Rules bert_rules();

// Into the plan, a classifier of all tokens: of words ("classifier"), or of the first and the last
// token of an answer ("qa_outputs").
void add_token_head(const Config& config, Purpose purpose, Plan& plan);

// A classifier of texts that reads the first token, with a dense layer before the output.
HeadOptions first_token_head(const Config& config, const std::string& activation);

// The dense layer alone: features of the first token.
HeadOptions pooler_head(const Config& config);

// Predicts tokens: dense layer, norm, the embedding as output layer with a bias of its own.
HeadOptions masked_head(const TextEncoderOptions& encoder, const std::string& activation);

// Where the embedding is not the output layer: that is a tensor of its own, called `theirs`, and
// `bias` holds a second bias, which nobody reads.
void untie(const Config& config, Plan& plan, const std::string& theirs,
           const std::string& bias = {});

// The dropout before a classifier.
double classifier_dropout(const Config& config);

}  // namespace heed::models::published
