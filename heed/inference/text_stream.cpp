#include "heed/inference/text_stream.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // decoded from part of a character

// Bytes at the end of `text` that `stop` begins with, not all of it.
size_t beginning_at_end(std::string_view text, std::string_view stop) {
  for (size_t count = std::min(text.size(), stop.size() - 1); count > 0; --count) {
    if (text.ends_with(stop.substr(0, count))) return count;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(std::shared_ptr<const text::Tokenizer> tokenizer,
                       std::vector<std::string> stops)
    : tokenizer_(std::move(tokenizer)), stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    check_usage(!stop.empty(), "stop: expected a text of at least one character, got none");
  }
}

std::string TextStream::push(int64_t id) {
  if (stopped_) return {};
  ids_.push_back(static_cast<int32_t>(id));
  // The spelling of a token may depend on the one before it (a space between words), so the text of
  // the last step is decoded again in front of the new one.
  const std::span<const int32_t> all(ids_);
  const std::string before = tokenizer_->decode(all.subspan(context_, read_ - context_));
  const std::string now = tokenizer_->decode(all.subspan(context_));
  if (now.size() <= before.size() || now.ends_with(kReplacement)) return {};
  pending_ += now.substr(before.size());
  context_ = read_;
  read_ = ids_.size();
  return release(false);
}

std::string TextStream::finish() {
  if (stopped_) return {};
  const std::span<const int32_t> all(ids_);
  const std::string before = tokenizer_->decode(all.subspan(context_, read_ - context_));
  const std::string now = tokenizer_->decode(all.subspan(context_));
  if (now.size() > before.size()) pending_ += now.substr(before.size());
  read_ = ids_.size();
  context_ = read_;
  return release(true);
}

std::string TextStream::release(bool at_end) {
  size_t certain = pending_.size();
  for (const std::string& stop : stops_) {
    const size_t place = pending_.find(stop);
    if (place != std::string::npos) {
      certain = std::min(certain, place);
      stopped_ = true;
    } else if (!at_end) {
      certain = std::min(certain, pending_.size() - beginning_at_end(pending_, stop));
    }
  }
  std::string out = pending_.substr(0, certain);
  pending_.erase(0, certain);
  return out;
}

}  // namespace heed::inference
