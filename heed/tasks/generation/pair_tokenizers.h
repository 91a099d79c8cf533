// How the texts of pairs, sources and targets, become tokens.
#pragma once

#include <memory>
#include <string>

#include "heed/data/texts/parallel_data.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

// "bpe:N", a BPE of at most N tokens that is learnt from the training texts; "characters"; or the
// path of a tokenizer.json that has the tokens "[PAD]" (or another padding), "<s>" and "</s>".
struct PairTokenizerOptions {
  std::string tokenizer = "bpe:8000";
  std::string target_tokenizer = {};  // empty: both sides share the vocabulary of `tokenizer`
  bool lowercase = false;             // of those that are learnt
};

template <nn::OptionsOf<PairTokenizerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(
      nn::Field{.name = "tokenizer",
                .help = "bpe:N (learnt from the texts, N tokens), characters or a tokenizer.json"},
      o.tokenizer);
  visit(nn::Field{.name = "target_tokenizer",
                  .help = "The same for the targets alone; not given: both sides share one "
                          "vocabulary"},
        o.target_tokenizer);
  visit(nn::Field{.name = "lowercase", .help = "Learn a vocabulary without capitals", .flag = true},
        o.lowercase);
}

struct PairTokenizers {
  std::shared_ptr<const text::Tokenizer> source;
  std::shared_ptr<const text::Tokenizer> target;  // the same object where they share a vocabulary
};

// Throws UsageError for options that cannot be used, DataError for a file without the special
// tokens, and what Tokenizer::load throws. `progress` is of the merges of a BPE.
PairTokenizers tokenizers_for(const data::ParallelData& train, const PairTokenizerOptions& options,
                              const Progress& progress = {});

}  // namespace heed::tasks
