// What `heed generate` prints: texts that are drawn token by token, as they come, or those that
// beam search finds.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"
#include "heed/models/published/generation_config.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {

// The settings of inference/generation_fields.h, with the defaults of what they are passed on to.
struct GenerationSettings {
  inference::SamplingOptions sampling = {};
  int64_t max_new_tokens = inference::kMaxNewTokens;
  int64_t min_new_tokens = 0;
  int64_t no_repeat_ngram_size = 0;
  int64_t num_return_sequences = inference::GenerateOptions().num_return_sequences;
  int64_t num_beams = 1;  // above 1: beam search, which takes no chances
  double length_penalty = inference::kLengthPenalty;
};

// The options that say how tokens are drawn, which a beam search does not do: "--temperature", …;
// not that of tokens that are there already.
std::set<std::string> drawing_options();

// A model with what it goes on from.
struct TextWriter {
  std::unique_ptr<inference::StepDecoder> decoder;
  std::shared_ptr<const text::Tokenizer> tokenizer;  // of what is written
  std::vector<int64_t> ids = {};
  std::string shown = {};  // text that stands before what is written
  std::vector<int64_t> eos_token_ids = {};
  inference::LogitRules rules = {};
  const models::published::GenerationConfig* usual = nullptr;  // of published models
  std::shared_ptr<void> model = {};                            // that owns it
};

struct GeneratedForm {
  std::vector<std::string> stops = {};  // strings that end a text
  bool json = false;
};

// One sample goes on from the prompt on the terminal, as it comes; several stand under each other,
// each behind a line that counts them. Throws Interrupted, once what is there is printed, where
// somebody stops it.
void print_samples(TextWriter& writer, const GenerationSettings& settings,
                   const GeneratedForm& form);

// The best hypotheses. Throws UsageError where the prompt and what is to be written are longer than
// the model's context.
void print_beams(TextWriter& writer, const GenerationSettings& settings, const GeneratedForm& form);

}  // namespace heed::cli
