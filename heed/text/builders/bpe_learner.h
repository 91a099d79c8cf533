// The loop that learns merges (Sennrich et al. 2016, algorithm 1), with counts kept up to date
// instead of taken again. See bpe_builder.h for use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_counter.h"
#include "heed/text/models/bpe.h"

namespace heed::text {

struct LearntMerges {
  std::vector<std::string> tokens;  // by id
  std::vector<Merge> merges;        // in the order they were learnt
};

LearntMerges learn_merges(const std::vector<WordCounter::Word>& words, const BpeOptions& options);

}  // namespace heed::text
