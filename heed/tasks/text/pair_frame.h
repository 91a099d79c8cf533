// The special tokens around a question and a text. Used inside this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/text/tokenizer.h"

namespace heed::tasks {

// What the tokenizer of a published model puts before, between and behind a question and a text.
struct PairFrame {
  std::vector<int32_t> before, between, behind;
};
PairFrame frame_of(const text::Tokenizer& tokenizer);

// Puts special tokens, which stand for no bytes, in front of the ids and offsets or behind them.
void add_special(text::Encoding& encoding, const std::vector<int32_t>& ids, bool in_front);

}  // namespace heed::tasks
