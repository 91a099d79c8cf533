#include "heed/text/steps/subword_pre_tokenizers.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/steps/delimiters.h"

namespace heed::text {
namespace {

using std::make_shared;

// Rewrites every piece that has no id and keeps what lies between pieces; body(range, rewrite)
// writes the new version of the piece at `range`.
template <typename Body>
void rewrite_pieces(SplitText& split, Body body) {
  Rewrite rewrite(split.text);
  uint32_t done = 0;
  for (Piece& piece : split.pieces) {
    const Span old = piece.range;
    rewrite.keep({done, old.begin});
    piece.range.begin = rewrite.size();
    if (piece.id == kNoId) {
      body(old, rewrite);
    } else {
      rewrite.keep(old);
    }
    piece.range.end = rewrite.size();
    done = old.end;
  }
  rewrite.keep(span(done, rewrite.old_text().size()));
  rewrite.finish();
}

// The bytes of the character at text[at].
Span bytes_of_character(std::string_view text, size_t at) {
  size_t end = at;
  next_code_point(text, end);
  return span(at, end);
}

enum class ByteClass : uint8_t { kSpace, kLetter, kNumber, kOther };

ByteClass byte_class_of(char32_t c) {
  if (is_letter(c)) return ByteClass::kLetter;
  if (is_number(c)) return ByteClass::kNumber;
  return is_white_space(c) ? ByteClass::kSpace : ByteClass::kOther;
}

std::array<ByteClass, 128> ascii_byte_classes() {
  std::array<ByteClass, 128> classes{};
  for (char32_t c = 0; c < classes.size(); ++c) classes[c] = byte_class_of(c);
  return classes;
}

// The matches of GPT-2's regular expression, one after the other.
class Gpt2Splitter {
 public:
  explicit Gpt2Splitter(std::string_view piece) : piece_(piece) {}

  // Where the match that begins at `begin` ends.
  size_t match(size_t begin) const {
    if (const size_t end = contraction(begin); end > begin) return end;
    size_t at = begin;
    if (piece_[at] == ' ' && at + 1 < piece_.size()) ++at;
    size_t next = at;
    ByteClass kind = next_class(next);
    if (kind != ByteClass::kSpace) return run(next, kind);
    return spaces(begin);
  }

 private:
  ByteClass next_class(size_t& at) const {
    static const std::array<ByteClass, 128> kClassOf = ascii_byte_classes();
    const char32_t c = next_code_point(piece_, at);
    return c < kClassOf.size() ? kClassOf[c] : byte_class_of(c);
  }

  size_t run(size_t at, ByteClass kind) const {
    size_t end = at;
    while (at < piece_.size() && next_class(at) == kind) end = at;
    return end;
  }

  // \s+(?!\S)|\s+: all of the white space, without its last character if something follows.
  size_t spaces(size_t begin) const {
    size_t end = begin;
    size_t last = begin;
    for (size_t at = begin; at < piece_.size();) {
      const size_t here = at;
      if (next_class(at) != ByteClass::kSpace) break;
      last = here;
      end = at;
    }
    return end < piece_.size() && last > begin ? last : end;
  }

  size_t contraction(size_t begin) const {
    if (piece_[begin] != '\'') return begin;
    const std::string_view rest = piece_.substr(begin + 1);
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
      if (rest.starts_with(ending)) return begin + 1 + ending.size();
    }
    return begin;
  }

  std::string_view piece_;
};

class ByteLevel final : public PreTokenizer {
 public:
  struct Settings {
    bool add_prefix_space = true;
    bool trim_offsets = true;
    bool use_regex = true;
  };

  explicit ByteLevel(Settings settings) : settings_(settings) {}

  void apply(SplitText& split) const override {
    if (settings_.add_prefix_space) add_prefix_space(split);
    if (settings_.use_regex) split_words(split);
    rewrite_pieces(split, [](Span range, Rewrite& rewrite) {
      const std::string_view text = rewrite.old_text();
      for (size_t at = range.begin; at < range.end;) {
        const Span character = bytes_of_character(text, at);
        for (; at < character.end; ++at) {
          rewrite.put(character_of_byte(static_cast<uint8_t>(text[at])), character);
        }
      }
    });
  }

  OrderedJson to_json() const override {
    return {{"type", "ByteLevel"},
            {"add_prefix_space", settings_.add_prefix_space},
            {"trim_offsets", settings_.trim_offsets},
            {"use_regex", settings_.use_regex}};
  }

 private:
  static void add_prefix_space(SplitText& split) {
    rewrite_pieces(split, [](Span range, Rewrite& rewrite) {
      const std::string_view text = rewrite.old_text();
      if (text[range.begin] != ' ') rewrite.put(U' ', bytes_of_character(text, range.begin));
      rewrite.keep(range);
    });
  }

  static void split_words(SplitText& split) {
    const std::string_view text = split.text.text();
    split_pieces(split, [&](Span range, std::vector<Piece>& pieces) {
      const Gpt2Splitter splitter(text.substr(range.begin, range.size()));
      for (size_t at = 0; at < range.size();) {
        const size_t end = splitter.match(at);
        pieces.push_back({span(range.begin + at, range.begin + end)});
        at = end;
      }
    });
  }

  Settings settings_;
};

enum class PrependScheme : uint8_t { kAlways, kFirst, kNever };

std::string_view name_of(PrependScheme scheme) {
  switch (scheme) {
    case PrependScheme::kAlways:
      return "always";
    case PrependScheme::kFirst:
      return "first";
    case PrependScheme::kNever:
      return "never";
  }
  return "";
}

class Metaspace final : public PreTokenizer {
 public:
  struct Settings {
    std::string replacement = "▁";
    PrependScheme prepend = PrependScheme::kAlways;
    bool split = true;
  };

  explicit Metaspace(Settings settings) : settings_(std::move(settings)) {}

  void apply(SplitText& split) const override {
    rewrite_pieces(
        split, [&, first = split.text.begins_the_original()](Span range, Rewrite& rewrite) {
          const std::string_view text = rewrite.old_text();
          const std::string_view piece = text.substr(range.begin, range.size());
          const bool marked = piece.starts_with(' ') || piece.starts_with(settings_.replacement);
          if (!marked && prepends(first && range.begin == 0)) {
            rewrite.put(settings_.replacement, bytes_of_character(text, range.begin));
          }
          for (size_t at = range.begin; at < range.end;) {
            const Span character = bytes_of_character(text, at);
            if (text[at] == ' ') {
              rewrite.put(settings_.replacement, character);
            } else {
              rewrite.keep(character);
            }
            at = character.end;
          }
        });
    if (!settings_.split) return;
    size_t at = 0;
    const char32_t mark = next_code_point(settings_.replacement, at);
    split_at_characters(split, Delimiters::kMergedWithNext,
                        [mark](char32_t c) { return c == mark; });
  }

  OrderedJson to_json() const override {
    return {{"type", "Metaspace"},
            {"replacement", settings_.replacement},
            {"prepend_scheme", name_of(settings_.prepend)},
            {"split", settings_.split}};
  }

 private:
  bool prepends(bool first) const {
    if (settings_.prepend == PrependScheme::kFirst) return first;
    return settings_.prepend == PrependScheme::kAlways;
  }

  Settings settings_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(int64_t length) : length_(length) {}

  void apply(SplitText& split) const override {
    const std::string_view text = split.text.text();
    split_pieces(split, [&](Span range, std::vector<Piece>& pieces) {
      for (size_t at = range.begin; at < range.end;) {
        const size_t begin = at;
        for (int64_t i = 0; i < length_ && at < range.end; ++i) next_code_point(text, at);
        pieces.push_back({span(begin, at)});
      }
    });
  }

  OrderedJson to_json() const override { return {{"type", "FixedLength"}, {"length", length_}}; }

 private:
  int64_t length_;
};

}  // namespace

PreTokenizerPointer make_byte_level(const JsonValue& json) {
  json.check_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  const auto setting = [&](const char* name) {
    return json.has(name) ? json.at(name).boolean() : true;
  };
  return make_shared<ByteLevel>(ByteLevel::Settings{.add_prefix_space = setting("add_prefix_space"),
                                                    .trim_offsets = setting("trim_offsets"),
                                                    .use_regex = setting("use_regex")});
}

PreTokenizerPointer make_metaspace(const JsonValue& json) {
  json.check_keys(
      {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  Metaspace::Settings settings;
  if (json.has("replacement")) {
    settings.replacement = json.at("replacement").string();
    if (settings.replacement.empty() ||
        bytes_of_character(settings.replacement, 0).end != settings.replacement.size()) {
      json.at("replacement").fail("one character");
    }
  }
  if (json.has("prepend_scheme")) {
    settings.prepend = json.at("prepend_scheme")
                           .one_of<PrependScheme>({{"always", PrependScheme::kAlways},
                                                   {"first", PrependScheme::kFirst},
                                                   {"never", PrependScheme::kNever}});
  }
  // As files had it before there was a prepend_scheme.
  if (json.has("add_prefix_space") && !json.at("add_prefix_space").boolean()) {
    if (json.has("prepend_scheme") && settings.prepend != PrependScheme::kNever) {
      json.at("add_prefix_space").fail("true, or the prepend_scheme \"never\"");
    }
    settings.prepend = PrependScheme::kNever;
  }
  if (json.has("split")) settings.split = json.at("split").boolean();
  return make_shared<Metaspace>(std::move(settings));
}

PreTokenizerPointer make_fixed_length(const JsonValue& json) {
  json.check_keys({"type", "length"});
  return make_shared<FixedLength>(
      json.has("length") ? json.at("length").integer({.least = 1, .most = 1 << 20}) : 5);
}

}  // namespace heed::text
