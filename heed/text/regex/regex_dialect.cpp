#include "heed/text/regex/regex_dialect.h"

#include <array>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

// Members of a class: the characters that satisfy `test`, as ranges.
template <typename Test>
std::string ranges_of(Test test) {
  std::string ranges;
  constexpr char32_t kEnd = 0x110000;
  for (char32_t c = 0; c < kEnd; ++c) {
    if ((c >= 0xD800 && c < 0xE000) || !test(c)) continue;
    const char32_t first = c;
    while (c + 1 < kEnd && c + 1 != 0xD800 && test(c + 1)) ++c;
    std::array<char, 40> buffer;
    std::snprintf(buffer.data(), buffer.size(), "\\x{%X}-\\x{%X}", static_cast<unsigned>(first),
                  static_cast<unsigned>(c));
    ranges += buffer.data();
  }
  return ranges;
}

// Its \w: UTS #18 without the joiners, but with the superscripts and fractions of Latin-1.
bool is_oniguruma_word(char32_t c) {
  if (c == 0x200C || c == 0x200D) return false;
  const bool latin = c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0xBC && c <= 0xBE);
  return latin || is_word_character(c);
}

// What stands for an escape inside a class.
std::string_view members_of(char escape) {
  static const std::string space = ranges_of(is_white_space);
  static const std::string letter = ranges_of(is_letter);
  static const std::string number = ranges_of(is_number);
  static const std::string word = ranges_of(is_oniguruma_word);
  switch (escape) {
    case 's':
      return space;
    case 'w':
      return word;
    case 'L':
      return letter;
    case 'N':
      return number;
    default:
      return "0-9a-fA-F";
  }
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\\') {
        escape();
      } else if (in_class_) {
        class_character();
      } else {
        character();
      }
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw UsageError(text_of("regular expression ", excerpt(pattern_, 100), ": at byte ", at_, ": ",
                             what, " is not supported; write it in another way"));
  }

  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  void take(size_t count) {
    result_ += pattern_.substr(at_, count);
    at_ += count;
  }

  void character() {
    if (next_is("[")) {
      in_class_ = true;
      take(next_is("[^") ? 2 : 1);
      if (next_is("]")) take(1);
    } else if (next_is("{")) {
      const size_t end = pattern_.find('}', at_);
      const bool quantifier =
          end != std::string_view::npos && end > at_ + 1 &&
          pattern_.substr(at_ + 1, end - at_ - 1).find_first_not_of("0123456789,") ==
              std::string_view::npos;
      if (quantifier && pattern_.substr(end + 1).starts_with("+")) refuse("{n,m}+");
      take(1);
    } else {
      take(1);
    }
  }

  void class_character() {
    if (next_is("&&")) refuse("&& between classes");
    if (next_is("[:")) refuse("a class [:name:]");
    if (next_is("[")) refuse("a class inside a class");
    if (next_is("]")) in_class_ = false;
    take(1);
  }

  // Writes a class, or its members where one is open.
  void put(std::string_view members, bool negated) {
    if (!in_class_) {
      result_.append(negated ? "[^" : "[").append(members).append("]");
    } else if (negated) {
      refuse("a negated class inside a class");
    } else {
      result_ += members;
    }
  }

  void escape() {
    if (at_ + 1 >= pattern_.size()) refuse("a backslash at the end");
    const char kind = pattern_[at_ + 1];
    switch (kind) {
      case 's':
      case 'w':
      case 'h':
        put(members_of(kind), false);
        at_ += 2;
        return;
      case 'S':
      case 'W':
      case 'H':
        put(members_of(static_cast<char>(kind + 0x20)), true);
        at_ += 2;
        return;
      case 'p':
      case 'P':
        property(kind == 'P');
        return;
      case 'u':
        code_point();
        return;
      default:
        take(2);
    }
  }

  void property(bool negated) {
    const std::string_view rest = pattern_.substr(at_ + 2);
    for (const char letter : {'L', 'N'}) {
      if (rest.starts_with(std::string{'{', letter, '}'})) {
        put(members_of(letter), negated);
        at_ += 5;
        return;
      }
      if (rest.starts_with(std::string{'{', '^', letter, '}'})) {
        put(members_of(letter), !negated);
        at_ += 6;
        return;
      }
    }
    take(2);
  }

  void code_point() {
    const std::string_view digits = pattern_.substr(at_ + 2, 4);
    if (digits.size() < 4 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      refuse("\\u without four hexadecimal digits");
    }
    result_.append("\\x{").append(digits).append("}");
    at_ += 6;
  }

  std::string_view pattern_;
  std::string result_;
  size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string pcre2_pattern(std::string_view pattern) { return Rewriter(pattern).run(); }

}  // namespace heed::text
