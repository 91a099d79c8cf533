#include <unicode/unistr.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/registry.h"
#include "heed/text/token_decoder.h"

namespace heed::text {
namespace {

using std::make_shared;
using Tokens = std::vector<std::string>;

// DataError: the result would have more than `most_bytes`.
std::string replaced(std::string_view text, std::string_view pattern, std::string_view by,
                     uint64_t most_bytes = std::numeric_limits<uint64_t>::max()) {
  std::string result;
  size_t done = 0;
  const auto append = [&](std::string_view piece) {
    if (piece.size() > most_bytes - result.size()) {
      throw DataError(text_of("decoding: the rules of the tokenizer make too long a text of ",
                              excerpt(text), " and what stands beside it"));
    }
    result += piece;
  };
  for (size_t at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, done)) {
    append(text.substr(done, at - done));
    append(by);
    done = at + pattern.size();
  }
  append(text.substr(done));
  return result;
}

// Every longest part of a character that is not whole becomes U+FFFD.
std::string as_utf8(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  std::string text;
  icu::UnicodeString::fromUTF8(bytes).toUTF8String(text);
  return text;
}

std::string string_setting(const JsonValue& json, const char* name, const char* otherwise) {
  return json.has(name) ? json.at(name).string() : otherwise;
}

class ByteLevelDecoder final : public TokenDecoder {
 public:
  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return make_shared<ByteLevelDecoder>();
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += from_byte_characters(token);
    return {as_utf8(bytes)};
  }

  OrderedJson to_json() const override {
    return {{"type", "ByteLevel"},
            {"add_prefix_space", true},
            {"trim_offsets", true},
            {"use_regex", true}};
  }
};

class WordPieceDecoder final : public TokenDecoder {
 public:
  struct Settings {
    std::string prefix = "##";
    bool cleanup = true;
  };

  explicit WordPieceDecoder(Settings settings) : settings_(std::move(settings)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "prefix", "cleanup"});
    return make_shared<WordPieceDecoder>(
        Settings{.prefix = string_setting(json, "prefix", "##"),
                 .cleanup = !json.has("cleanup") || json.at("cleanup").boolean()});
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) {
        if (tokens[i].starts_with(settings_.prefix)) {
          tokens[i].erase(0, settings_.prefix.size());
        } else {
          tokens[i].insert(0, " ");
        }
      }
      if (settings_.cleanup) tokens[i] = cleaned(std::move(tokens[i]));
    }
    return tokens;
  }

  OrderedJson to_json() const override {
    return {{"type", "WordPiece"}, {"prefix", settings_.prefix}, {"cleanup", settings_.cleanup}};
  }

 private:
  // Takes back the blanks that splitting at punctuation gave English.
  static std::string cleaned(std::string token) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kBlanks = {{
        {" .", "."},
        {" ?", "?"},
        {" !", "!"},
        {" ,", ","},
        {" ' ", "'"},
        {" n't", "n't"},
        {" 'm", "'m"},
        {" do not", " don't"},
        {" 's", "'s"},
        {" 've", "'ve"},
        {" 're", "'re"},
    }};
    for (const auto& [pattern, by] : kBlanks) token = replaced(token, pattern, by);
    return token;
  }

  Settings settings_;
};

class BpeDecoder final : public TokenDecoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "suffix"});
    const std::string suffix = string_setting(json, "suffix", "</w>");
    if (suffix.empty()) json.at("suffix").fail("a string that is not empty");
    return make_shared<BpeDecoder>(suffix);
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replaced(tokens[i], suffix_, i + 1 < tokens.size() ? " " : "");
    }
    return tokens;
  }

  OrderedJson to_json() const override { return {{"type", "BPEDecoder"}, {"suffix", suffix_}}; }

 private:
  std::string suffix_;
};

class MetaspaceDecoder final : public TokenDecoder {
 public:
  struct Settings {
    std::string replacement = "▁";
    std::string prepend_scheme = "always";
    bool split = true;
  };

  explicit MetaspaceDecoder(Settings settings) : settings_(std::move(settings)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys(
        {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
    const bool prefix = !json.has("add_prefix_space") || json.at("add_prefix_space").boolean();
    Settings settings = {
        .replacement = string_setting(json, "replacement", "▁"),
        .prepend_scheme = string_setting(json, "prepend_scheme", prefix ? "always" : "never"),
        .split = !json.has("split") || json.at("split").boolean()};
    if (settings.replacement.empty()) json.at("replacement").fail("one character");
    if (json.has("prepend_scheme")) {
      json.at("prepend_scheme").one_of<int>({{"always", 0}, {"first", 1}, {"never", 2}});
    }
    return make_shared<MetaspaceDecoder>(std::move(settings));
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool added = i == 0 && settings_.prepend_scheme != "never";
      tokens[i] = replaced(tokens[i], settings_.replacement, added ? "" : " ");
    }
    return tokens;
  }

  OrderedJson to_json() const override {
    return {{"type", "Metaspace"},
            {"replacement", settings_.replacement},
            {"prepend_scheme", settings_.prepend_scheme},
            {"split", settings_.split}};
  }

 private:
  Settings settings_;
};

class Fuse final : public TokenDecoder {
 public:
  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<Fuse>();
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    std::string text;
    for (const std::string& token : tokens) text += token;
    return {text};
  }

  OrderedJson to_json() const override { return {{"type", "Fuse"}}; }
};

// Takes up to `start` of a character from the left of every token and up to `stop` from the right.
class StripDecoder final : public TokenDecoder {
 public:
  struct Settings {
    std::string content = " ";
    int64_t start = 0;
    int64_t stop = 0;
  };

  explicit StripDecoder(Settings settings) : settings_(std::move(settings)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "content", "start", "stop"});
    const IntegerRange counts = {.least = 0, .most = 1 << 20};
    Settings settings = {.content = json.at("content").string(),
                         .start = json.at("start").integer(counts),
                         .stop = json.at("stop").integer(counts)};
    if (settings.content.empty()) json.at("content").fail("one character");
    return make_shared<StripDecoder>(std::move(settings));
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    const std::string& content = settings_.content;
    for (std::string& token : tokens) {
      for (int64_t i = 0; i < settings_.start && token.starts_with(content); ++i) {
        token.erase(0, content.size());
      }
      for (int64_t i = 0; i < settings_.stop && token.ends_with(content); ++i) {
        token.erase(token.size() - content.size());
      }
    }
    return tokens;
  }

  OrderedJson to_json() const override {
    return {{"type", "Strip"},
            {"content", settings_.content},
            {"start", settings_.start},
            {"stop", settings_.stop}};
  }

 private:
  Settings settings_;
};

class ReplaceDecoder final : public TokenDecoder {
 public:
  ReplaceDecoder(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "pattern", "content"});
    const JsonValue pattern = json.at("pattern");
    pattern.check_keys({"String"});
    if (pattern.at("String").string().empty()) {
      pattern.at("String").fail("a string that is not empty");
    }
    return make_shared<ReplaceDecoder>(pattern.at("String").string(), json.at("content").string());
  }

  Tokens apply(Tokens tokens, uint64_t most_bytes) const override {
    uint64_t bytes = 0;
    for (std::string& token : tokens) {
      token = replaced(token, pattern_, content_, most_bytes - bytes);
      bytes += token.size();
    }
    return tokens;
  }

  OrderedJson to_json() const override {
    return {{"type", "Replace"}, {"pattern", {{"String", pattern_}}}, {"content", content_}};
  }

 private:
  std::string pattern_;
  std::string content_;
};

// "<0xE2>" ... are bytes; neighbours that make no UTF-8 together are a U+FFFD each.
class ByteFallback final : public TokenDecoder {
 public:
  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type"});
    return make_shared<ByteFallback>();
  }

  Tokens apply(Tokens tokens, uint64_t /*most_bytes*/) const override {
    Tokens result;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (is_utf8(bytes)) {
        result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\uFFFD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const std::optional<char> byte = byte_of(token)) {
        bytes += *byte;
      } else {
        flush();
        result.push_back(std::move(token));
      }
    }
    flush();
    return result;
  }

  OrderedJson to_json() const override { return {{"type", "ByteFallback"}}; }

 private:
  static std::optional<char> byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned byte = 0;
    const char* end = token.data() + 5;
    const auto [stop, error] = std::from_chars(token.data() + 3, end, byte, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return static_cast<char>(byte);
  }
};

class DecoderSequence final : public TokenDecoder {
 public:
  explicit DecoderSequence(std::vector<DecoderPointer> parts) : parts_(std::move(parts)) {}

  static DecoderPointer make(const JsonValue& json) {
    json.check_keys({"type", "decoders"});
    const JsonValue list = json.at("decoders");
    std::vector<DecoderPointer> parts;
    for (size_t i = 0; i < list.array_size(); ++i) parts.push_back(read_decoder(list.at(i)));
    return make_shared<DecoderSequence>(std::move(parts));
  }

  Tokens apply(Tokens tokens, uint64_t most_bytes) const override {
    for (const DecoderPointer& part : parts_) tokens = part->apply(std::move(tokens), most_bytes);
    return tokens;
  }

  OrderedJson to_json() const override {
    OrderedJson list = OrderedJson::array();
    for (const DecoderPointer& part : parts_) list.push_back(part->to_json());
    return {{"type", "Sequence"}, {"decoders", list}};
  }

 private:
  std::vector<DecoderPointer> parts_;
};

// A new decoder is a class above and a line here.
constexpr std::array kDecoders = std::to_array<Registered<DecoderPointer>>({
    {"ByteLevel", ByteLevelDecoder::make},
    {"WordPiece", WordPieceDecoder::make},
    {"BPEDecoder", BpeDecoder::make},
    {"Metaspace", MetaspaceDecoder::make},
    {"Fuse", Fuse::make},
    {"Strip", StripDecoder::make},
    {"Replace", ReplaceDecoder::make},
    {"ByteFallback", ByteFallback::make},
    {"Sequence", DecoderSequence::make},
});

}  // namespace

DecoderPointer read_decoder(const JsonValue& json) {
  return make_registered<DecoderPointer>(kDecoders, json);
}

DecoderPointer decoder_named(std::string_view type) {
  return make_registered<DecoderPointer>(kDecoders, type, "decoder");
}

}  // namespace heed::text
