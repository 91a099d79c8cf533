#include "heed/cli/tasks/token_attention.h"

#include <ATen/ATen.h>

#include <utility>

#include "heed/inference/text_stream.h"
#include "heed/io/utf8.h"

namespace heed::cli {

std::vector<std::string> names_of(const text::Encoding& encoding, const std::string& text) {
  std::vector<std::string> names;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const text::Span& span = encoding.offsets[i];
    names.push_back(span.size() == 0 ? encoding.tokens[i] : text.substr(span.begin, span.size()));
  }
  return names;
}

std::vector<std::string> pieces_of(const std::shared_ptr<const text::Tokenizer>& tokenizer,
                                   const std::vector<int64_t>& ids) {
  inference::TextStream stream(tokenizer);
  std::vector<std::string> pieces;
  for (const int64_t id : ids) {
    const std::string text(trimmed(stream.push(id)));
    pieces.push_back(text.empty() ? tokenizer->token_of(static_cast<int32_t>(id)) : text);
  }
  return pieces;
}

models::TextBatch batch_of(const text::Encoding& encoding) {
  const std::vector<int64_t> ids(encoding.ids.begin(), encoding.ids.end());
  return {.ids = at::tensor(ids, at::kLong).unsqueeze(0)};
}

AttentionView view_of(const text::Encoding& encoding, const std::string& text,
                      nn::AttentionRecorder& recorder) {
  const std::vector<std::string> names = names_of(encoding, text);
  return {.queries = names, .keys = names, .calls = std::move(recorder.self)};
}

}  // namespace heed::cli
