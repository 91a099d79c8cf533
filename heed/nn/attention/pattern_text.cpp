// Patterns as text, both ways. In between stands Pattern::Parts: an expression such as
// "or(window,global_tokens)" and the numbers of its names in their order.
#include <charconv>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/nn/attention/attention_settings.h"
#include "heed/ops/attention/pattern_node.h"
#include "heed/ops/tensor_text.h"

namespace heed::nn {
namespace {

constexpr std::string_view kGlobal = "global";

bool is_known_by_text(const PatternKind& kind) { return kind.tensors.empty(); }

std::string shape_of_text(const PatternName& name) {
  std::string text(name.text == "global_tokens" ? kGlobal : std::string_view(name.text));
  for (const char* number : name.kind->numbers) text += text_of(":", number);
  return text;
}

class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text), rest_(text) {}

  Pattern pattern() {
    Pattern::Parts parts{.expression = either()};
    if (!rest_.empty()) fail("& or |");
    parts.numbers = numbers_;
    return Pattern::from_parts(parts);
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    throw UsageError(text_of("pattern '", excerpt_of(text_), "': at character ",
                             text_.size() - rest_.size() + 1, ": expected ", expected, ", got ",
                             rest_.empty() ? "the end" : text_of("'", excerpt_of(rest_), "'")));
  }

  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_spaces();
    return true;
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  std::string either() {
    std::string left = both();
    while (take('|')) left = text_of("or(", left, ",", both(), ")");
    return left;
  }

  std::string both() {
    std::string left = single();
    while (take('&')) left = text_of("and(", left, ",", single(), ")");
    return left;
  }

  std::string single() {
    if (take('(')) {
      if (++brackets_ > Pattern::kMostNested) {
        fail(text_of("at most ", Pattern::kMostNested, " brackets within one another"));
      }
      std::string inner = either();
      if (!take(')')) fail("a closing bracket");
      --brackets_;
      return inner;
    }
    if (++names_ > Pattern::kMostNested) {
      fail(text_of("at most ", Pattern::kMostNested, " names"));
    }
    std::string known = "full";
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    size_t length = 0;
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    std::string_view name = rest_.substr(0, length);
    if (name == "full") {
      rest_.remove_prefix(length);
      skip_spaces();
      return "full";
    }
    for (const PatternName& one : pattern_names()) {
      if (!is_known_by_text(*one.kind)) continue;
      if (name == one.text || (name == kGlobal && one.text == "global_tokens")) {
        rest_.remove_prefix(length);
        return numbered(one);
      }
      known += ", " + shape_of_text(one);
    }
    fail("one of " + known);
  }

  std::string numbered(const PatternName& name) {
    for (const char* what : name.kind->numbers) {
      if (!take(':')) fail(text_of("':", what, "' of ", shape_of_text(name)));
      int64_t number = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc()) {
        fail(text_of("a whole number, '", what, "' of ", shape_of_text(name)));
      }
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      numbers_.push_back(number);
    }
    skip_spaces();
    return name.text;
  }

  std::string_view text_;
  std::string_view rest_;
  std::vector<int64_t> numbers_;
  int brackets_ = 0;
  int names_ = 0;
};

class TextWriter {
 public:
  explicit TextWriter(const Pattern::Parts& parts) : parts_(parts), rest_(parts.expression) {}

  std::string text() { return next().text; }

 private:
  struct Written {
    std::string text;
    bool is_either = false;
  };

  Written next() {
    const size_t length = rest_.find_first_of("(),");
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(name.size());
    if (name == "and" || name == "or") return joined(name == "or");
    if (name == "full") return {"full"};
    for (const PatternName& one : pattern_names()) {
      if (name != one.text) continue;
      check_usage(is_known_by_text(*one.kind), "pattern '", excerpt_of(parts_.expression), "': '",
                  name, "' has tensors, which have no text");
      std::string text(name == "global_tokens" ? kGlobal : name);
      for (size_t i = 0; i < one.kind->numbers.size(); ++i) {
        text += text_of(":", parts_.numbers[number_++]);
      }
      return {text};
    }
    throw UsageError(
        text_of("pattern '", excerpt_of(parts_.expression), "': there is no '", name, "'"));
  }

  Written joined(bool is_either) {
    rest_.remove_prefix(1);  // the bracket
    const Written left = next();
    rest_.remove_prefix(1);  // the comma
    const Written right = next();
    rest_.remove_prefix(1);
    const auto side = [&](const Written& written) {
      return !is_either && written.is_either ? "(" + written.text + ")" : written.text;
    };
    return {side(left) + (is_either ? "|" : "&") + side(right), is_either};
  }

  const Pattern::Parts& parts_;
  std::string_view rest_;
  size_t number_ = 0;
};

}  // namespace

Pattern pattern_from(std::string_view text) { return TextReader(text).pattern(); }

std::string text_of_pattern(const Pattern& pattern) {
  const Pattern::Parts parts = pattern.parts();
  return TextWriter(parts).text();
}

}  // namespace heed::nn
