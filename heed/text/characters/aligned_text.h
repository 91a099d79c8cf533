// A text that is being normalised, and where each byte of it came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

// A character of a new version of a text and what it stands for: 0: the next of the old one; 1: the
// same as the character before it; -n: the next of the old one, and n more are gone.
struct CharacterChange {
  char32_t c;
  int32_t shift;
};

class AlignedText {
 public:
  // Keeping track costs time and memory; whoever wants only ids does without.
  enum class Tracking : uint8_t { kOff, kOn };

  // The bytes `range` of `original`.
  AlignedText(std::string_view original, Span range, Tracking tracking);

  std::string_view text() const { return text_; }
  uint32_t size() const { return static_cast<uint32_t>(text_.size()); }

  // The bytes of the original text, whole characters, that the non-empty `range` of this one came
  // from. Only with Tracking::kOn.
  Span source(Span range) const;

  bool is_tracked() const { return tracking_ == Tracking::kOn; }

  // Whether this is the beginning of the original text, and not a later part of it.
  bool begins_the_original() const { return shift_ == 0; }

  // The most bytes that rewriting may make of this text: far beyond what any use needs, and so few
  // that a tokenizer.json whose rules multiply a text cannot fill the memory.
  static constexpr uint64_t kMostGrowth = 64;
  static constexpr uint64_t kLeastRoom = 1 << 20;
  uint64_t most_bytes() const { return most_bytes_; }

  // Replaces all of it. Old characters that no change reaches are gone. DataError: as Rewrite.
  void rewrite(const std::vector<CharacterChange>& changes);

  // Bytes that change without moving: the caller may write the same number of bytes.
  char* bytes_in_place() { return text_.data(); }

 private:
  friend class Rewrite;

  std::string text_;
  std::vector<Span> origin_;  // of each byte; empty while no byte has moved
  uint32_t shift_;            // where text_ begins in the original while no byte has moved
  uint64_t most_bytes_;
  Tracking tracking_;
};

// Replaces an AlignedText by a new version of it, written from start to end. Ranges are bytes of
// the old version.
//
//   Rewrite rewrite(text);
//   rewrite.keep({0, 3});      // three bytes as they are
//   rewrite.put(U'x', {3, 5});  // an x that stands for the next two
//   rewrite.finish();           // what was not mentioned is gone
class Rewrite {
 public:
  explicit Rewrite(AlignedText& text);

  std::string_view old_text() const { return text_->text_; }
  uint32_t size() const { return static_cast<uint32_t>(new_text_.size()); }

  void keep(Span range);

  // DataError: the text would have more than most_bytes().
  void put(char32_t c, Span range);
  void put(std::string_view piece, Span range);

  void finish();

 private:
  Span origin_of(Span range) const;
  void check_room(size_t bytes) const;
  void track(size_t bytes, Span range);

  AlignedText* text_;
  std::string new_text_;
  std::vector<Span> new_origin_;
};

}  // namespace heed::text
