#include "heed/text/steps/subword_normalizers.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/characters/base64.h"
#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/graphemes.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/steps/charsmap.h"

namespace heed::text {
namespace {

using std::make_shared;

constexpr std::string_view kBlankMark = "▁";

Span character_at(std::string_view text, size_t at) {
  size_t end = at;
  next_code_point(text, end);
  return span(at, end);
}

Charsmap read_charsmap(const JsonValue& json) {
  if (!json.has("precompiled_charsmap")) return Charsmap("");
  const JsonValue field = json.at("precompiled_charsmap");
  std::optional<std::string> bytes = from_base64(field.string());
  if (!bytes) field.fail("base64");
  try {
    return Charsmap(std::move(*bytes));
  } catch (const UsageError& error) {
    field.fail(error.what());
  }
}

// SentencePiece's table as the `tokenizers` package applies it: a cluster of up to five bytes is
// replaced as a whole by what its shortest known beginning stands for, otherwise each character is.
class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}

  void apply(AlignedText& text) const override {
    const std::string_view old = text.text();
    std::vector<CharacterChange> changes;
    bool changed = false;
    for (size_t at = 0; at < old.size();) {
      const size_t end = grapheme_end(old, at);
      if (end - at < kLongestWhole && replace(old.substr(at, end - at), changes)) {
        changed = true;
        at = end;
        continue;
      }
      while (at < end) {
        size_t next = at;
        const char32_t c = next_code_point(old, next);
        if (replace(old.substr(at, next - at), changes)) {
          changed = true;
        } else {
          changes.push_back({c, 0});
        }
        at = next;
      }
    }
    if (changed) text.rewrite(changes);
  }

  OrderedJson to_json() const override {
    return {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(charsmap_.bytes())}};
  }

 private:
  static constexpr size_t kLongestWhole = 6;

  bool replace(std::string_view part, std::vector<CharacterChange>& changes) const {
    const auto match = charsmap_.find(part, Charsmap::Choice::kShortest);
    if (!match) return false;
    int64_t added = -code_points(part);
    for (size_t at = 0; at < match->replacement.size(); ++added) {
      const char32_t c = next_code_point(match->replacement, at);
      changes.push_back({c, added >= 0 ? 1 : 0});
    }
    if (added < 0 && !changes.empty()) changes.back().shift += static_cast<int32_t>(added);
    return true;
  }

  Charsmap charsmap_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  void apply(AlignedText& text) const override {
    if (text.size() == 0) return;
    Rewrite rewrite(text);
    rewrite.put(prefix_, character_at(rewrite.old_text(), 0));
    rewrite.keep(span(0, rewrite.old_text().size()));
    rewrite.finish();
  }

  OrderedJson to_json() const override { return {{"type", "Prepend"}, {"prepend", prefix_}}; }

 private:
  std::string prefix_;
};

// The cleaning of SentencePiece's rule "nmt": no control characters, a blank for any white space.
class Nmt final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    Rewrite rewrite(text);
    const std::string_view old = rewrite.old_text();
    for (size_t at = 0; at < old.size();) {
      const size_t begin = at;
      const char32_t c = next_code_point(old, at);
      if (is_dropped(c)) continue;
      if (is_blank(c)) {
        rewrite.put(U' ', span(begin, at));
      } else {
        rewrite.keep(span(begin, at));
      }
    }
    rewrite.finish();
  }

  OrderedJson to_json() const override { return {{"type", "Nmt"}}; }

 private:
  static bool is_dropped(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
  }
  static bool is_blank(char32_t c) {
    return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xFEFF || c == 0xFFFD;
  }
};

// Every byte as the character that stands for it.
class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    Rewrite rewrite(text);
    const std::string_view old = rewrite.old_text();
    for (size_t at = 0; at < old.size();) {
      const Span character = character_at(old, at);
      for (; at < character.end; ++at) {
        rewrite.put(character_of_byte(static_cast<uint8_t>(old[at])), character);
      }
    }
    rewrite.finish();
  }

  OrderedJson to_json() const override { return {{"type", "ByteLevel"}}; }
};

class SentencePieceNormalizer final : public Normalizer {
 public:
  SentencePieceNormalizer(Charsmap charsmap, SentencePieceNormalization settings)
      : charsmap_(std::move(charsmap)), settings_(settings) {}

  void apply(AlignedText& text) const override {
    Rewrite rewrite(text);
    Writer writer = {.settings = settings_, .rewrite = rewrite};
    const std::string_view old = rewrite.old_text();
    for (size_t at = 0; at < old.size();) {
      const auto match = charsmap_.find(old.substr(at), Charsmap::Choice::kLongest);
      const Span range = match ? span(at, at + match->size) : character_at(old, at);
      writer.add(match ? match->replacement : old.substr(at, range.size()), range);
      at = range.end;
    }
    rewrite.finish();
  }

  OrderedJson to_json() const override {
    return {{"type", "SentencePiece"},
            {"precompiled_charsmap", to_base64(charsmap_.bytes())},
            {"add_dummy_prefix", settings_.add_dummy_prefix},
            {"remove_extra_whitespaces", settings_.remove_extra_whitespaces},
            {"escape_whitespaces", settings_.escape_whitespaces}};
  }

 private:
  // Holds blanks back until something follows that is none.
  struct Writer {
    const SentencePieceNormalization& settings;
    Rewrite& rewrite;
    bool begun = false;
    std::vector<Span> blanks = {};  // not written yet

    void add(std::string_view piece, Span range) {
      for (size_t at = 0; at < piece.size();) {
        const size_t begin = at;
        next_code_point(piece, at);
        if (piece[begin] == ' ' && settings.remove_extra_whitespaces) {
          if (begun && blanks.empty()) blanks.push_back(range);
          continue;
        }
        if (!begun && settings.add_dummy_prefix) put_blank(range);
        begun = true;
        for (const Span& blank : std::exchange(blanks, {})) put_blank(blank);
        if (piece[begin] == ' ') {
          put_blank(range);
        } else {
          rewrite.put(piece.substr(begin, at - begin), range);
        }
      }
    }

    void put_blank(Span range) {
      rewrite.put(settings.escape_whitespaces ? kBlankMark : std::string_view(" "), range);
    }
  };

  Charsmap charsmap_;
  SentencePieceNormalization settings_;
};

}  // namespace

NormalizerPointer make_precompiled(const JsonValue& json) {
  json.check_keys({"type", "precompiled_charsmap"});
  return make_shared<Precompiled>(read_charsmap(json));
}

NormalizerPointer precompiled_normalizer(std::string charsmap) {
  return make_shared<Precompiled>(Charsmap(std::move(charsmap)));
}

NormalizerPointer make_prepend(const JsonValue& json) {
  json.check_keys({"type", "prepend"});
  return make_shared<Prepend>(json.at("prepend").string());
}

NormalizerPointer make_nmt(const JsonValue& json) {
  json.check_keys({"type"});
  return make_shared<Nmt>();
}

NormalizerPointer make_byte_level_normalizer(const JsonValue& json) {
  json.check_keys({"type"});
  return make_shared<ByteLevelNormalizer>();
}

NormalizerPointer make_sentence_piece_normalizer(const JsonValue& json) {
  json.check_keys({"type", "precompiled_charsmap", "add_dummy_prefix", "remove_extra_whitespaces",
                   "escape_whitespaces"});
  return make_shared<SentencePieceNormalizer>(
      read_charsmap(json),
      SentencePieceNormalization{
          .add_dummy_prefix = json.at("add_dummy_prefix").boolean(),
          .remove_extra_whitespaces = json.at("remove_extra_whitespaces").boolean(),
          .escape_whitespaces = json.at("escape_whitespaces").boolean()});
}

NormalizerPointer sentence_piece_normalizer(std::string charsmap,
                                            SentencePieceNormalization settings) {
  return make_shared<SentencePieceNormalizer>(Charsmap(std::move(charsmap)), settings);
}

}  // namespace heed::text
