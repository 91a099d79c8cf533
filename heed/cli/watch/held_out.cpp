#include "heed/cli/watch/held_out.h"

#include <algorithm>

#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

constexpr int64_t kPiece = 160;  // bytes
constexpr int64_t kAround = 2;   // tokens, before and behind a text
constexpr std::string_view kBlanks = " \t\r\n";

// The first place at or behind `at` that is not within a word.
size_t between_words(std::string_view text, size_t at) {
  return at == 0 ? 0 : std::min(text.find_first_of(kBlanks, at), text.size());
}

// What stands from there on, a part of the text of so many bytes, without the blanks before it.
std::string_view piece_from(std::string_view text, size_t at, size_t bytes) {
  at = std::min(text.find_first_not_of(kBlanks, at), text.size());
  std::string_view piece = text.substr(at, bytes);
  if (piece.size() == bytes) {
    const size_t blank = piece.find_last_of(kBlanks);
    piece = piece.substr(0, blank == std::string_view::npos ? valid_utf8_prefix(piece) : blank);
  }
  return piece;
}

}  // namespace

HeldOut held_out_of(size_t count, const std::function<HeldOutExample(size_t)>& example_of) {
  HeldOut chosen;
  size_t next = 0;  // behind the last that was taken
  for (size_t i = 0; i < kShownExamples; ++i) {
    for (next = std::max(next, i * count / kShownExamples); next < count; ++next) {
      HeldOutExample example = example_of(next);
      if (example.input.empty() || example.input.size() > kLongestShown) continue;
      chosen.inputs.push_back(std::move(example.input));
      chosen.about.push_back(std::move(example.about));
      ++next;
      break;
    }
  }
  return chosen;
}

HeldOut held_out_pieces(std::string_view text, int64_t most_tokens) {
  // A token has a byte at least.
  const auto bytes = static_cast<size_t>(std::clamp<int64_t>(most_tokens - kAround, 1, kPiece));
  HeldOut chosen;
  for (size_t i = 0; i < kShownExamples; ++i) {
    const size_t begin = between_words(text, i * text.size() / kShownExamples);
    const std::string_view piece = piece_from(text, begin, bytes);
    if (piece.empty()) continue;
    const auto end = static_cast<size_t>(piece.data() + piece.size() - text.data());
    chosen.inputs.emplace_back(piece);
    chosen.about.push_back({.right = std::string(piece_from(text, end, bytes))});
  }
  return chosen;
}

}  // namespace heed::cli
