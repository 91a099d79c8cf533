#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "heed/text/characters/unicode.h"
#include "heed/text/characters/unicode_normalization.h"
#include "heed/text/normalizer.h"
#include "heed/text/regex/text_pattern.h"
#include "heed/text/registry.h"
#include "heed/text/steps/subword_normalizers.h"

namespace heed::text {
namespace {

using std::make_shared;

// Rewrites a text character by character: body(c, range of its bytes, rewrite).
template <typename Body>
void rewrite_characters(AlignedText& text, Body body) {
  Rewrite rewrite(text);
  const std::string_view old = rewrite.old_text();
  for (size_t at = 0; at < old.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(old, at);
    body(c, span(begin, at), rewrite);
  }
  rewrite.finish();
}

// Whether a character that is not ASCII satisfies `test`.
template <typename Test>
bool any_beyond_ascii(std::string_view text, Test test) {
  if (is_ascii(text)) return false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c >= 0x80 && test(c)) return true;
  }
  return false;
}

// NFC, NFD, NFKC, NFKD (UAX #15).
class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(Form form) : form_(form) {}

  void apply(AlignedText& text) const override { normalize_unicode(text, form_); }
  OrderedJson to_json() const override { return {{"type", name_of(form_)}}; }

 private:
  Form form_;
};

template <Form kForm>
NormalizerPointer make_form(const JsonValue& json) {
  json.check_keys({"type"});
  return make_shared<UnicodeForm>(kForm);
}

class Lowercase final : public Normalizer {
 public:
  static constexpr char32_t kCapitalIWithDot = 0x130;  // its lower case is two characters

  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<Lowercase>();
  }

  void apply(AlignedText& text) const override {
    const auto changes = [](char32_t c) { return lower_case(c) != c; };
    if (any_beyond_ascii(text.text(), changes)) {
      rewrite_characters(text, [](char32_t c, Span range, Rewrite& rewrite) {
        rewrite.put(lower_case(c), range);
        if (c == kCapitalIWithDot) rewrite.put(U'\u0307', range);
      });
    } else {
      char* bytes = text.bytes_in_place();
      for (uint32_t i = 0; i < text.size(); ++i) {
        if (bytes[i] >= 'A' && bytes[i] <= 'Z') bytes[i] = static_cast<char>(bytes[i] + 0x20);
      }
    }
  }

  OrderedJson to_json() const override { return {{"type", "Lowercase"}}; }
};

// Removes combining marks. It does not decompose: NFD goes before it.
class StripAccents final : public Normalizer {
 public:
  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<StripAccents>();
  }

  void apply(AlignedText& text) const override {
    if (!any_beyond_ascii(text.text(), is_mark)) return;
    rewrite_characters(text, [](char32_t c, Span range, Rewrite& rewrite) {
      if (!is_mark(c)) rewrite.keep(range);
    });
  }

  OrderedJson to_json() const override { return {{"type", "StripAccents"}}; }
};

// Removes white space at the ends.
class Strip final : public Normalizer {
 public:
  struct Sides {
    bool left = true;
    bool right = true;
  };

  explicit Strip(Sides sides) : sides_(sides) {}

  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "strip_left", "strip_right"});
    Sides sides;
    if (json.has("strip_left")) sides.left = json.at("strip_left").boolean();
    if (json.has("strip_right")) sides.right = json.at("strip_right").boolean();
    return make_shared<Strip>(sides);
  }

  void apply(AlignedText& text) const override {
    const std::string_view old = text.text();
    size_t first = old.size();
    size_t last = 0;
    for (size_t at = 0; at < old.size();) {
      const size_t begin = at;
      if (is_white_space(next_code_point(old, at))) continue;
      first = std::min(first, begin);
      last = at;
    }
    if (!sides_.left) first = 0;
    if (!sides_.right) last = old.size();
    if (first == 0 && last == old.size()) return;
    Rewrite rewrite(text);
    if (first < last) rewrite.keep(span(first, last));
    rewrite.finish();
  }

  OrderedJson to_json() const override {
    return {{"type", "Strip"}, {"strip_left", sides_.left}, {"strip_right", sides_.right}};
  }

 private:
  Sides sides_;
};

// The basic cleaning of BERT's original tokenizer.
class BertNormalizer final : public Normalizer {
 public:
  struct Settings {
    bool clean_text = true;             // no control characters; every white space is a blank
    bool handle_chinese_chars = true;   // a blank before and after each
    std::optional<bool> strip_accents;  // none: as lowercase
    bool lowercase = true;
  };

  explicit BertNormalizer(Settings settings) : settings_(settings) {}

  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    const auto setting = [&](const char* name) {
      return json.has(name) ? json.at(name).boolean() : true;
    };
    Settings settings;
    settings.clean_text = setting("clean_text");
    settings.handle_chinese_chars = setting("handle_chinese_chars");
    settings.lowercase = setting("lowercase");
    if (json.has("strip_accents")) settings.strip_accents = json.at("strip_accents").boolean();
    return make_shared<BertNormalizer>(settings);
  }

  void apply(AlignedText& text) const override {
    if (settings_.clean_text) clean(text);
    if (settings_.handle_chinese_chars) set_chinese_apart(text);
    if (settings_.strip_accents.value_or(settings_.lowercase)) {
      normalize_unicode(text, Form::kNfd);
      remove_nonspacing_marks(text);
    }
    if (settings_.lowercase) Lowercase().apply(text);
  }

  OrderedJson to_json() const override {
    OrderedJson json = {{"type", "BertNormalizer"},
                        {"clean_text", settings_.clean_text},
                        {"handle_chinese_chars", settings_.handle_chinese_chars},
                        {"strip_accents", nullptr},
                        {"lowercase", settings_.lowercase}};
    if (settings_.strip_accents) json["strip_accents"] = *settings_.strip_accents;
    return json;
  }

 private:
  static bool is_dropped(char32_t c) { return c == 0 || c == 0xFFFD || is_control(c); }

  static void clean(AlignedText& text) {
    const std::string_view old = text.text();
    const auto is_plain = [](char byte) { return byte >= ' ' && byte < 0x7F; };
    if (std::all_of(old.begin(), old.end(), is_plain)) return;
    rewrite_characters(text, [](char32_t c, Span range, Rewrite& rewrite) {
      if (is_dropped(c)) return;
      if (is_white_space(c)) {
        rewrite.put(U' ', range);
      } else {
        rewrite.keep(range);
      }
    });
  }

  static void set_chinese_apart(AlignedText& text) {
    if (!any_beyond_ascii(text.text(), is_chinese_character)) return;
    rewrite_characters(text, [](char32_t c, Span range, Rewrite& rewrite) {
      const bool apart = is_chinese_character(c);
      if (apart) rewrite.put(U' ', range);
      rewrite.keep(range);
      if (apart) rewrite.put(U' ', range);
    });
  }

  static void remove_nonspacing_marks(AlignedText& text) {
    if (!any_beyond_ascii(text.text(), is_nonspacing_mark)) return;
    rewrite_characters(text, [](char32_t c, Span range, Rewrite& rewrite) {
      if (!is_nonspacing_mark(c)) rewrite.keep(range);
    });
  }

  Settings settings_;
};

// Every match, from left to right, by a string; as in the package, the string stands for the last
// character of the match.
class Replace final : public Normalizer {
 public:
  Replace(TextPattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "pattern", "content"});
    return make_shared<Replace>(TextPattern::read(json.at("pattern")), json.at("content").string());
  }

  void apply(AlignedText& text) const override {
    std::vector<Span> matches;
    pattern_.find_all(text.text(), matches);
    if (matches.empty()) return;
    Rewrite rewrite(text);
    uint32_t at = 0;
    for (const Span& match : matches) {
      rewrite.keep({at, match.begin});
      rewrite.put(content_, last_character(rewrite.old_text(), match));
      at = match.end;
    }
    rewrite.keep(span(at, rewrite.old_text().size()));
    rewrite.finish();
  }

  static Span last_character(std::string_view text, Span match) {
    if (match.begin == match.end) return match;
    uint32_t begin = match.end - 1;
    while (!begins_character(text[begin])) --begin;
    return {begin, match.end};
  }

  OrderedJson to_json() const override {
    return {{"type", "Replace"}, {"pattern", pattern_.to_json()}, {"content", content_}};
  }

 private:
  TextPattern pattern_;
  std::string content_;
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<NormalizerPointer> parts) : parts_(std::move(parts)) {}

  static NormalizerPointer make(const JsonValue& json) {
    json.check_keys({"type", "normalizers"});
    const JsonValue list = json.at("normalizers");
    std::vector<NormalizerPointer> parts;
    for (size_t i = 0; i < list.array_size(); ++i) parts.push_back(read_normalizer(list.at(i)));
    return make_shared<NormalizerSequence>(std::move(parts));
  }

  void apply(AlignedText& text) const override {
    for (const NormalizerPointer& part : parts_) part->apply(text);
  }

  OrderedJson to_json() const override {
    OrderedJson list = OrderedJson::array();
    for (const NormalizerPointer& part : parts_) list.push_back(part->to_json());
    return {{"type", "Sequence"}, {"normalizers", list}};
  }

 private:
  std::vector<NormalizerPointer> parts_;
};

// A new normaliser is a class above, or in another file of this folder, and a line here.
constexpr std::array kNormalizers = std::to_array<Registered<NormalizerPointer>>({
    {"NFC", make_form<Form::kNfc>},
    {"NFD", make_form<Form::kNfd>},
    {"NFKC", make_form<Form::kNfkc>},
    {"NFKD", make_form<Form::kNfkd>},
    {"Lowercase", Lowercase::make},
    {"StripAccents", StripAccents::make},
    {"Strip", Strip::make},
    {"BertNormalizer", BertNormalizer::make},
    {"Replace", Replace::make},
    {"Precompiled", make_precompiled},
    {"Prepend", make_prepend},
    {"Nmt", make_nmt},
    {"ByteLevel", make_byte_level_normalizer},
    {"SentencePiece", make_sentence_piece_normalizer},
    {"Sequence", NormalizerSequence::make},
});

}  // namespace

NormalizerPointer read_normalizer(const JsonValue& json) {
  return make_registered<NormalizerPointer>(kNormalizers, json);
}

NormalizerPointer normalizer_named(std::string_view type) {
  return make_registered<NormalizerPointer>(kNormalizers, type, "normaliser");
}

NormalizerPointer normalizer_sequence(std::vector<NormalizerPointer> parts) {
  if (parts.empty()) return nullptr;
  if (parts.size() == 1) return parts.front();
  return make_shared<NormalizerSequence>(std::move(parts));
}

}  // namespace heed::text
