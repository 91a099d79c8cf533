// The table by which SentencePiece rewrites texts (`precompiled_charsmap`): strings and what they
// are replaced by, as a double-array trie (Aoe 1989, "An Efficient Digital Search Algorithm by
// Using a Double-Array Structure", in the layout of Darts-clone).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heed::text {

class Charsmap {
 public:
  // The bytes of such a table: the size of the trie (four bytes, little endian), the trie, and the
  // replacements, each with a zero byte behind it. UsageError: cut off, or replacements that are
  // not UTF-8. No bytes: a table that replaces nothing.
  explicit Charsmap(std::string bytes);

  const std::string& bytes() const { return bytes_; }

  struct Match {
    size_t size;  // bytes of the text that are replaced
    std::string_view replacement;
  };

  // The shortest, or the longest, beginning of `text` that is in the table.
  enum class Choice : uint8_t { kShortest, kLongest };
  std::optional<Match> find(std::string_view text, Choice choice) const;

 private:
  std::string bytes_;
  std::vector<uint32_t> units_;
  size_t begin_ = 0;  // of the replacements in bytes_
};

}  // namespace heed::text
