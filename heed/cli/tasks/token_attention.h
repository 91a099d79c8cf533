// The attention between the tokens of one text, called as the text has them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/cli/attention_view.h"
#include "heed/models/parts/text_batch.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {

// Each token as the text has it, not as the vocabulary does: "[UNK]" would hide the word. Special
// tokens that stand for nothing of the text are called by their names.
std::vector<std::string> names_of(const text::Encoding& encoding, const std::string& text);

// The text that each id adds to those before it, as the tokenizer decodes them; of one that adds
// none, its name.
std::vector<std::string> pieces_of(const std::shared_ptr<const text::Tokenizer>& tokenizer,
                                   const std::vector<int64_t>& ids);

// (1, N).
models::TextBatch batch_of(const text::Encoding& encoding);

// Without a title.
AttentionView view_of(const text::Encoding& encoding, const std::string& text,
                      nn::AttentionRecorder& recorder);

}  // namespace heed::cli
