// Texts to vectors, and the tokens that a masked language model would put in gaps.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/published/embedder.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

struct TextEmbedder {
  std::shared_ptr<models::published::Embedder> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;  // cut to max_length
  int64_t max_length = 0;                            // tokens of a text that are read
};

// Throws MissingInputError or DataError.
TextEmbedder load_text_embedder(const std::filesystem::path& directory);

// The same, ready to learn what the options say, of texts of at most so many tokens; 0: as many as
// the directory says. Throws UsageError too, for options that cannot be used.
TextEmbedder open_text_embedder(const std::filesystem::path& directory,
                                const models::published::FineTuningOptions& options,
                                int64_t max_length);

// The text of the prompt of this name, or of the one that the model uses by itself where the name
// is empty; empty: none. Throws UsageError where there is no such prompt.
std::string prompt_of(const TextEmbedder& embedder, const std::string& name);

// (texts, vector_dim) float32 in CPU memory, in the order of the texts; each vector is that of the
// text alone.
at::Tensor embed(const TextEmbedder& embedder, const std::vector<std::string>& texts,
                 const Progress& progress = {});

// The same of texts as token ids, which is how they are kept where they are read more than once.
using TextIds = std::vector<std::vector<int32_t>>;
TextIds encoded(const TextEmbedder& embedder, const std::vector<std::string>& texts);
at::Tensor embed(const TextEmbedder& embedder, const TextIds& texts, const Progress& progress = {});

CutTexts cut_texts(const TextEmbedder& embedder, const std::vector<std::string>& texts);

struct MaskFiller {
  std::shared_ptr<models::published::Published> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;  // reads special tokens in texts
  int32_t mask_id = 0;
};

// Throws MissingInputError or DataError; that too where the tokenizer has no token for gaps.
MaskFiller load_mask_filler(const std::filesystem::path& directory);

struct FilledGap {
  struct Candidate {
    int32_t id = 0;
    double probability = 0;
  };
  std::vector<Candidate> best;  // falling probability
};

// The `count` likeliest tokens of each gap of a text, which the token for gaps of the model marks;
// "[MASK]" and "<mask>" are other spellings of it. Throws DataError where there is no gap or where
// the text is longer than the model reads.
std::vector<FilledGap> fill(const MaskFiller& filler, const std::string& text, int64_t count);

// The text as the model reads it.
std::string with_own_mask(const MaskFiller& filler, const std::string& text);

}  // namespace heed::tasks
