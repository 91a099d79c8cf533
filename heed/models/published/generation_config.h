// How a published model is meant to write: generation_config.json, or config.json where it says it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/models/published/config.h"

namespace heed::models::published {

// The names and usual values of transformers.
struct GenerationConfig {
  std::optional<int64_t> decoder_start_token_id = {};
  std::vector<int64_t> eos_token_ids = {};
  std::optional<int64_t> forced_bos_token_id = {};  // the first token that is written
  std::optional<int64_t> forced_eos_token_id = {};  // the last, where there is no more room
  std::vector<int64_t> suppress_tokens = {};        // never written; single bad_words_ids too
  std::vector<int64_t> begin_suppress_tokens = {};  // not the first that is written
  int64_t no_repeat_ngram_size = 0;
  std::optional<int64_t> max_new_tokens = {};
  std::optional<int64_t> max_length = {};  // with the prompt or the start token
  std::optional<int64_t> min_new_tokens = {};
  int64_t min_length = 0;  // likewise
  bool do_sample = false;
  double temperature = 1;
  int64_t top_k = 50;  // of do_sample
  double top_p = 1;
  double repetition_penalty = 1;
  int64_t num_beams = 1;
  double length_penalty = 1;
  bool renormalize_logits = false;
  enum class EarlyStopping : uint8_t { kFalse, kTrue, kNever } early_stopping = {};
  double min_p = 0;
  // Of Whisper: whether it knows more than English, the token that says that no times are written
  // (times follow it, 20 ms apart), and the latest time that may be written first, in such steps.
  std::optional<bool> is_multilingual = {};
  std::optional<int64_t> no_timestamps_token_id = {};
  std::optional<int64_t> max_initial_timestamp_index = {};
  // What a multilingual one hears and does where nobody says it: "de", "translate", or the tokens
  // for them (forced_decoder_ids); and the tokens of its languages, sorted.
  std::string language = {};
  std::string task = {};
  std::optional<int64_t> forced_language_id = {};
  std::optional<int64_t> forced_task_id = {};
  std::vector<int64_t> language_ids = {};
};

// New tokens that stand behind a prompt of this length, or a start token, before an end token may.
int64_t least_new_tokens(const GenerationConfig& config, int64_t prompt_length);

// Throws DataError naming the file and the field that cannot be used, or that asks for what Heed
// does not have.
GenerationConfig read_generation_config(const std::filesystem::path& directory,
                                        const Config& config);

}  // namespace heed::models::published
