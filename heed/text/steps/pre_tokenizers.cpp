#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/text/characters/unicode.h"
#include "heed/text/pre_tokenizer.h"
#include "heed/text/registry.h"
#include "heed/text/steps/delimiters.h"
#include "heed/text/steps/subword_pre_tokenizers.h"

namespace heed::text {
namespace {

using std::make_shared;

enum class CharacterClass : uint8_t { kSpace, kWord, kOther };

CharacterClass character_class_of(char32_t c) {
  if (is_word_character(c)) return CharacterClass::kWord;
  return is_white_space(c) ? CharacterClass::kSpace : CharacterClass::kOther;
}

constexpr size_t kAscii = 128;

std::array<CharacterClass, kAscii> make_ascii_classes() {
  std::array<CharacterClass, kAscii> classes{};
  for (char32_t c = 0; c < kAscii; ++c) classes[c] = character_class_of(c);
  return classes;
}

// \w+|[^\w\s]+: words and runs of what is neither word nor white space.
class Whitespace final : public PreTokenizer {
 public:
  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<Whitespace>();
  }

  void apply(SplitText& split) const override {
    const std::string_view text = split.text.text();
    split_pieces(split, [&](Span range, std::vector<Piece>& pieces) {
      CharacterClass current = CharacterClass::kSpace;
      for (size_t at = range.begin; at < range.end;) {
        const auto begin = static_cast<uint32_t>(at);
        const char32_t c = next_code_point(text, at);
        const CharacterClass next = c < kAscii ? ascii_[c] : character_class_of(c);
        if (next == CharacterClass::kSpace) {
          current = next;
          continue;
        }
        if (next != current) pieces.push_back({{begin, begin}});
        pieces.back().range.end = static_cast<uint32_t>(at);
        current = next;
      }
    });
  }

  OrderedJson to_json() const override { return {{"type", "Whitespace"}}; }

 private:
  std::array<CharacterClass, kAscii> ascii_ = make_ascii_classes();
};

class WhitespaceSplit final : public PreTokenizer {
 public:
  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<WhitespaceSplit>();
  }

  void apply(SplitText& split) const override {
    split_at_characters(split, Delimiters::kRemoved, is_white_space);
  }

  OrderedJson to_json() const override { return {{"type", "WhitespaceSplit"}}; }
};

// At white space, and every punctuation character apart.
class BertPreTokenizer final : public PreTokenizer {
 public:
  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<BertPreTokenizer>();
  }

  void apply(SplitText& split) const override {
    split_at_characters(split, Delimiters::kRemoved, is_white_space);
    split_at_characters(split, Delimiters::kIsolated, is_punctuation);
  }

  OrderedJson to_json() const override { return {{"type", "BertPreTokenizer"}}; }
};

class Punctuation final : public PreTokenizer {
 public:
  explicit Punctuation(Delimiters behavior) : behavior_(behavior) {}

  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "behavior"});
    return make_shared<Punctuation>(json.has("behavior") ? read_delimiters(json.at("behavior"))
                                                         : Delimiters::kIsolated);
  }

  void apply(SplitText& split) const override {
    split_at_characters(split, behavior_, is_punctuation);
  }

  OrderedJson to_json() const override {
    return {{"type", "Punctuation"}, {"behavior", name_of(behavior_)}};
  }

 private:
  Delimiters behavior_;
};

// Numbers apart from what stands around them, or every digit apart.
class Digits final : public PreTokenizer {
 public:
  explicit Digits(Delimiters behavior) : behavior_(behavior) {}

  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "individual_digits"});
    const bool individual = json.has("individual_digits") && json.at("individual_digits").boolean();
    return make_shared<Digits>(individual ? Delimiters::kIsolated : Delimiters::kContiguous);
  }

  void apply(SplitText& split) const override { split_at_characters(split, behavior_, is_numeric); }

  OrderedJson to_json() const override {
    return {{"type", "Digits"}, {"individual_digits", behavior_ == Delimiters::kIsolated}};
  }

 private:
  Delimiters behavior_;
};

// At one character, which is dropped.
class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(std::string delimiter) : delimiter_(std::move(delimiter)) {}

  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "delimiter"});
    const std::string& delimiter = json.at("delimiter").string();
    if (code_points(delimiter) != 1) json.at("delimiter").fail("one character");
    return make_shared<CharDelimiterSplit>(delimiter);
  }

  void apply(SplitText& split) const override {
    size_t at = 0;
    const char32_t delimiter = next_code_point(delimiter_, at);
    split_at_characters(split, Delimiters::kRemoved,
                        [delimiter](char32_t c) { return c == delimiter; });
  }

  OrderedJson to_json() const override {
    return {{"type", "CharDelimiterSplit"}, {"delimiter", delimiter_}};
  }

 private:
  std::string delimiter_;
};

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<PreTokenizerPointer> parts)
      : parts_(std::move(parts)) {}

  static PreTokenizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "pretokenizers"});
    const JsonValue list = json.at("pretokenizers");
    std::vector<PreTokenizerPointer> parts;
    for (size_t i = 0; i < list.array_size(); ++i) parts.push_back(read_pre_tokenizer(list.at(i)));
    return make_shared<PreTokenizerSequence>(std::move(parts));
  }

  void apply(SplitText& split) const override {
    for (const PreTokenizerPointer& part : parts_) part->apply(split);
  }

  OrderedJson to_json() const override {
    OrderedJson list = OrderedJson::array();
    for (const PreTokenizerPointer& part : parts_) list.push_back(part->to_json());
    return {{"type", "Sequence"}, {"pretokenizers", list}};
  }

 private:
  std::vector<PreTokenizerPointer> parts_;
};

// A new pre-tokenizer is a class above and a line here.
constexpr std::array kPreTokenizers = std::to_array<Registered<PreTokenizerPointer>>({
    {"Whitespace", Whitespace::make},
    {"WhitespaceSplit", WhitespaceSplit::make},
    {"BertPreTokenizer", BertPreTokenizer::make},
    {"Punctuation", Punctuation::make},
    {"Digits", Digits::make},
    {"CharDelimiterSplit", CharDelimiterSplit::make},
    {"ByteLevel", make_byte_level},
    {"Metaspace", make_metaspace},
    {"FixedLength", make_fixed_length},
    {"Split", make_split},
    {"Sequence", PreTokenizerSequence::make},
});

}  // namespace

PreTokenizerPointer read_pre_tokenizer(const JsonValue& json) {
  return make_registered<PreTokenizerPointer>(kPreTokenizers, json);
}

PreTokenizerPointer pre_tokenizer_named(std::string_view type) {
  return make_registered<PreTokenizerPointer>(kPreTokenizers, type, "pre-tokenizer");
}

PreTokenizerPointer pre_tokenizer_sequence(std::vector<PreTokenizerPointer> parts) {
  if (parts.empty()) return nullptr;
  if (parts.size() == 1) return parts.front();
  return make_shared<PreTokenizerSequence>(std::move(parts));
}

}  // namespace heed::text
