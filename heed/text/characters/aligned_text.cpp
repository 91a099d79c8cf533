#include "heed/text/characters/aligned_text.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/characters/unicode.h"

namespace heed::text {

AlignedText::AlignedText(std::string_view original, Span range, Tracking tracking)
    : text_(original.substr(range.begin, range.size())),
      shift_(range.begin),
      most_bytes_(std::min<uint64_t>(std::max(kLeastRoom, kMostGrowth * range.size()),
                                     std::numeric_limits<uint32_t>::max())),
      tracking_(tracking) {}

Span AlignedText::source(Span range) const {
  if (!origin_.empty()) return {origin_[range.begin].begin, origin_[range.end - 1].end};
  // A part of a character came from all of it, as it does once bytes have moved.
  size_t begin = range.begin;
  while (begin > 0 && !begins_character(text_[begin])) --begin;
  size_t end = range.end;
  while (end < text_.size() && !begins_character(text_[end])) ++end;
  return span(begin + shift_, end + shift_);
}

void AlignedText::rewrite(const std::vector<CharacterChange>& changes) {
  Rewrite rewrite(*this);
  const std::string_view old = rewrite.old_text();
  Span last = {0, 0};
  const auto move_on = [&] {
    size_t at = last.end;
    if (at >= old.size()) return;
    next_code_point(old, at);
    last = span(last.end, at);
  };
  for (const auto& [c, shift] : changes) {
    if (shift <= 0) move_on();
    rewrite.put(c, last);
    for (int32_t i = shift; i < 0; ++i) move_on();
  }
  rewrite.finish();
}

Rewrite::Rewrite(AlignedText& text) : text_(&text) {
  new_text_.reserve(text.text_.size() + 16);
  if (text.tracking_ == AlignedText::Tracking::kOn) new_origin_.reserve(text.text_.size() + 16);
}

Span Rewrite::origin_of(Span range) const {
  if (range.begin < range.end) return text_->source(range);
  // An insertion stands for nothing: it gets the place where it was made.
  if (text_->origin_.empty()) return {range.begin + text_->shift_, range.begin + text_->shift_};
  const uint32_t at = range.begin < text_->origin_.size() ? text_->origin_[range.begin].begin
                                                          : text_->origin_.back().end;
  return {at, at};
}

void Rewrite::track(size_t bytes, Span range) {
  if (text_->tracking_ == AlignedText::Tracking::kOff) return;
  new_origin_.insert(new_origin_.end(), bytes, origin_of(range));
}

void Rewrite::keep(Span range) {
  new_text_.append(text_->text_, range.begin, range.size());
  if (text_->tracking_ == AlignedText::Tracking::kOff) return;
  if (!text_->origin_.empty()) {
    new_origin_.insert(new_origin_.end(), text_->origin_.begin() + range.begin,
                       text_->origin_.begin() + range.end);
    return;
  }
  for (size_t at = range.begin; at < range.end;) {
    const auto first = static_cast<uint32_t>(at);
    next_code_point(text_->text_, at);
    track(at - first, {first, static_cast<uint32_t>(at)});
  }
}

void Rewrite::check_room(size_t bytes) const {
  if (new_text_.size() + bytes <= text_->most_bytes_) return;
  throw DataError(text_of("normalising a text: expected at most ", text_->most_bytes_,
                          " bytes of it, but the rules of the tokenizer make more (",
                          AlignedText::kMostGrowth, " times as many are allowed)"));
}

void Rewrite::put(char32_t c, Span range) {
  check_room(4);
  const size_t before = new_text_.size();
  append_utf8(c, new_text_);
  track(new_text_.size() - before, range);
}

void Rewrite::put(std::string_view piece, Span range) {
  check_room(piece.size());
  new_text_ += piece;
  track(piece.size(), range);
}

void Rewrite::finish() {
  text_->text_ = std::move(new_text_);
  text_->origin_ = std::move(new_origin_);
}

}  // namespace heed::text
