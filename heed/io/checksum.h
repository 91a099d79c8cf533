// A checksum of 64 bits that says whether something is still what it was: data that a run was
// begun on, a file that was damaged. It is no protection against somebody who wants to deceive.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

// What is added is told apart from the same bytes added in other pieces: texts and lists count with
// their lengths.
class Checksum {
 public:
  void add(std::integral auto number) { mix(static_cast<uint64_t>(number)); }
  void add(double number) { mix(std::bit_cast<uint64_t>(number)); }

  void add(const void* bytes, size_t count) {
    mix(count);
    const auto* from = static_cast<const unsigned char*>(bytes);
    uint64_t word = 0;
    for (; count >= sizeof word; from += sizeof word, count -= sizeof word) {
      std::memcpy(&word, from, sizeof word);
      mix(word);
    }
    word = 0;
    if (count > 0) std::memcpy(&word, from, count);
    mix(word);
  }
  void add(std::string_view text) { add(text.data(), text.size()); }

  template <typename Element>
  void add(const std::vector<Element>& list) {
    mix(list.size());
    for (const Element& each : list) add(each);
  }

  uint64_t value() const { return state_ ^ (state_ >> 32); }

  // 16 hexadecimal digits.
  std::string text() const {
    std::string digits(16, '0');
    uint64_t rest = value();
    for (size_t i = digits.size(); i-- > 0; rest >>= 4) digits[i] = "0123456789abcdef"[rest & 15];
    return digits;
  }

 private:
  // One to one in the state and in the word: a change in one word alone always shows.
  void mix(uint64_t word) {
    state_ = (state_ ^ word) * 0x9E3779B97F4A7C15;
    state_ ^= state_ >> 29;
  }

  uint64_t state_ = 0xCBF29CE484222325;
};

}  // namespace heed
