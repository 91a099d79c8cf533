// How the texts of pairs, sources and targets, become tokens.
#pragma once

#include <memory>
#include <string>

#include "heed/data/texts/parallel_data.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

// "bpe:N", a BPE of at most N tokens that is learnt from the training texts; "characters"; or the
// path of a tokenizer.json that has the tokens "[PAD]" (or another padding), "<s>" and "</s>".
struct PairTokenizerOptions {
  std::string kind = "bpe:8000";
  std::string target_kind = {};  // empty: both sides share the vocabulary that `kind` says
  bool lowercase = false;        // of those that are learnt
};

struct PairTokenizers {
  std::shared_ptr<const text::Tokenizer> source;
  std::shared_ptr<const text::Tokenizer> target;  // the same object where they share a vocabulary
};

// Throws UsageError for options that cannot be used, DataError for a file without the special
// tokens, and what Tokenizer::load throws. `progress` is of the merges of a BPE.
PairTokenizers tokenizers_for(const data::ParallelData& train, const PairTokenizerOptions& options,
                              const Progress& progress = {});

}  // namespace heed::tasks
