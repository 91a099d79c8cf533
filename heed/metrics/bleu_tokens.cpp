// The tokenizers of sacrebleu, described in bleu.h.
#include <unicode/uchar.h>

#include "heed/base/joined.h"
#include "heed/io/named.h"
#include "heed/io/utf8.h"
#include "heed/metrics/bleu.h"
#include "heed/metrics/words.h"
#include "heed/text/characters/unicode.h"

namespace heed::metrics {
namespace {

constexpr NameTable<BleuTokens, 4> kNames = {{
    {"13a", BleuTokens::k13a},
    {"none", BleuTokens::kNone},
    {"char", BleuTokens::kChar},
    {"intl", BleuTokens::kIntl},
}};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Rewrites a text by pairs of neighbours, from left to right: where pair(first, second) says so,
// they become `before` first `between` second `after`, and the search goes on behind them. All of
// the characters that decide are ASCII, so bytes will do.
template <typename Test>
std::string space_pairs(const std::string& text, Test pair, std::string_view before,
                        std::string_view after) {
  std::string result;
  result.reserve(text.size() + text.size() / 4);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && pair(text[i], text[i + 1])) {
      result += before;
      result += text[i];
      result += ' ';
      result += text[++i];
      result += after;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }

// ASCII punctuation but ' , - .
// mteval-v13a.pl, tokenization for Western text
bool is_apart(char c) {
  if (c == '\'' || c == ',' || c == '-' || c == '.') return false;
  return (c >= ' ' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

std::string tokenize_13a(std::string_view line) {
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string spaced = " ";
  for (const char c : text) {
    if (is_apart(c)) {
      spaced += ' ';
      spaced += c;
      spaced += ' ';
    } else {
      spaced += c;
    }
  }
  spaced += ' ';
  spaced = space_pairs(
      spaced, [](char a, char b) { return !is_digit(a) && is_stop(b); }, "", " ");
  spaced = space_pairs(
      spaced, [](char a, char b) { return is_stop(a) && !is_digit(b); }, " ", "");
  return space_pairs(
      spaced, [](char a, char b) { return is_digit(a) && b == '-'; }, "", " ");
}

bool is_of(char32_t c, uint32_t mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0;
}

// The same over characters; the results of each step are put together again.
template <typename Test>
std::string space_character_pairs(const std::string& text, Test pair, std::string_view before,
                                  std::string_view after) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t first = next_code_point(text, at);
    const size_t middle = at;
    size_t end = at;
    if (middle < text.size() && pair(first, next_code_point(text, end))) {
      result.append(before).append(text, begin, middle - begin).append(" ");
      result.append(text, middle, end - middle).append(after);
      at = end;
    } else {
      result.append(text, begin, middle - begin);
    }
  }
  return result;
}

std::string tokenize_intl(std::string_view line) {
  constexpr uint32_t kPunctuation = U_GC_P_MASK;
  constexpr uint32_t kNumber = U_GC_N_MASK;
  std::string text = space_character_pairs(
      std::string(line),
      [](char32_t a, char32_t b) { return !is_of(a, kNumber) && is_of(b, kPunctuation); }, "", " ");
  text = space_character_pairs(
      text, [](char32_t a, char32_t b) { return is_of(a, kPunctuation) && !is_of(b, kNumber); },
      " ", "");
  std::string spaced;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool symbol = is_of(next_code_point(text, at), U_GC_S_MASK);
    if (symbol) spaced += ' ';
    spaced.append(text, begin, at - begin);
    if (symbol) spaced += ' ';
  }
  return spaced;
}

std::string_view without_end_space(std::string_view line) {
  size_t end = 0;
  for (size_t at = 0; at < line.size();) {
    if (!is_python_space(next_code_point(line, at))) end = at;
  }
  return line.substr(0, end);
}

std::string tokenize_characters(std::string_view line) {
  std::string text;
  for (size_t at = 0; at < line.size();) {
    const size_t begin = at;
    next_code_point(line, at);
    text.append(line, begin, at - begin).append(" ");
  }
  return text;
}

}  // namespace

BleuTokens bleu_tokens_named(std::string_view name) {
  return value_named(kNames, name, "BLEU tokenizer");
}

std::vector<std::string> bleu_tokens_names() { return names_in(kNames); }

std::string bleu_tokenize(std::string_view line, BleuTokens tokens) {
  line = without_end_space(line);
  std::string text;
  switch (tokens) {
    case BleuTokens::k13a:
      text = tokenize_13a(line);
      break;
    case BleuTokens::kNone:
      text = line;
      break;
    case BleuTokens::kChar:
      text = tokenize_characters(line);
      break;
    case BleuTokens::kIntl:
      text = tokenize_intl(line);
      break;
  }
  return joined(split_words(text), " ");
}

}  // namespace heed::metrics
