// Long texts as overlapping windows of tokens.
#pragma once

#include <cstddef>
#include <vector>

namespace heed::tasks {

// A part of the tokens of a text, [begin, end). Windows overlap; a token belongs to the one in
// whose middle it stands more, those of [owned_begin, owned_end).
struct TextWindow {
  size_t begin = 0;
  size_t end = 0;
  size_t owned_begin = 0;
  size_t owned_end = 0;
};

// Windows of at most `size` tokens, one every `stride` tokens (at most `size`), over `count`
// tokens: at least one, which may be empty; each token is owned by one of them.
std::vector<TextWindow> text_windows(size_t count, size_t size, size_t stride);

}  // namespace heed::tasks
