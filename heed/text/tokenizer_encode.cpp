// Texts to tokens.
#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/tokenizer.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

using Tracking = AlignedText::Tracking;
using Kind = PostProcessor::Part::Kind;

constexpr size_t kMaxTextBytes = size_t{1} << 31;  // offsets are 32 bits, normalisation adds bytes

void check_text(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw DataError(text_of("a text of ", text.size(), " bytes: expected at most ", kMaxTextBytes));
  }
  const size_t valid = valid_utf8_prefix(text);
  if (valid != text.size()) {
    throw DataError(
        text_of("a text that is not UTF-8 at byte ", valid, ": ", excerpt(text.substr(valid, 16))));
  }
}

// Calls sink(id, range in split.text, split) for each token of `text`.
template <typename Sink>
void tokenize(const Tokenizer::Parts& parts, std::string_view text, Tracking tracking, Sink sink) {
  check_text(text);
  std::vector<Piece> segments;
  parts.added.split(text, {0, static_cast<uint32_t>(text.size())}, AddedVocabulary::In::kOriginal,
                    parts.specials, segments);
  std::vector<ModelToken> tokens;
  for (const Piece& segment : segments) {
    SplitText split = {AlignedText(text, segment.range, tracking), {}};
    if (segment.id != kNoId) {
      sink(segment.id, Span{0, split.text.size()}, split);
      continue;
    }
    if (parts.normalizer) parts.normalizer->apply(split.text);
    parts.added.split(split.text.text(), {0, split.text.size()}, AddedVocabulary::In::kNormalized,
                      parts.specials, split.pieces);
    if (parts.pre_tokenizer) parts.pre_tokenizer->apply(split);
    for (const Piece& piece : split.pieces) {
      if (piece.id != kNoId) {
        sink(piece.id, piece.range, split);
        continue;
      }
      tokens.clear();
      parts.model->tokenize(split.text.text().substr(piece.range.begin, piece.range.size()),
                            parts.hidden, tokens);
      for (const ModelToken& token : tokens) {
        const Span range = {piece.range.begin + token.range.begin,
                            piece.range.begin + token.range.end};
        sink(token.id, range, split);
      }
    }
  }
}

// The tokens of one text alone; offsets only if they were asked for.
struct TextTokens {
  std::vector<int32_t> ids;
  std::vector<Span> offsets;
};

TextTokens tokens_of(const Tokenizer::Parts& parts, std::string_view text, Tracking tracking) {
  TextTokens tokens;
  tokenize(parts, text, tracking, [&](int32_t id, Span range, const SplitText& split) {
    tokens.ids.push_back(id);
    if (tracking == Tracking::kOn) tokens.offsets.push_back(split.text.source(range));
  });
  return tokens;
}

// Leaves the first or the last `count` values after the first `kept`, which stay.
template <typename Value>
void cut(std::vector<Value>& values, size_t count, TruncationSide side, size_t kept = 0) {
  if (values.size() <= kept + count) return;
  if (side == TruncationSide::kLeft) {
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(kept),
                 values.end() - static_cast<std::ptrdiff_t>(count));
  } else {
    values.resize(kept + count);
  }
}

void cut(TextTokens& tokens, size_t count, TruncationSide side) {
  cut(tokens.ids, count, side);
  cut(tokens.offsets, count, side);
}

// How many tokens of the texts there is room for.
size_t room_for_texts(const Truncation& truncation, const PostProcessor::Template& around,
                      Surround surround) {
  const size_t added = surround == Surround::kYes ? specials_in(around) : 0;
  const auto longest = static_cast<size_t>(truncation.max_length);
  return longest > added ? longest - added : 0;
}

[[noreturn]] void refuse_to_cut(const char* which, size_t tokens, size_t room) {
  throw DataError(text_of("the tokenizer cuts only the ", which, " text of a pair, which has ",
                          tokens, " tokens: they cannot be cut to fit into ", room));
}

// How many tokens of each text stay where the longest one is cut first.
std::pair<size_t, size_t> longest_first(size_t first, size_t second, size_t room) {
  const bool swapped = first > second;
  size_t shorter = std::min(first, second);
  size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return swapped ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

// One text where `second` is null. The same result as the package's.
void truncate(const Truncation& truncation, size_t room, TextTokens& first, TextTokens* second) {
  const size_t first_size = first.ids.size();
  const size_t second_size = second != nullptr ? second->ids.size() : 0;
  if (first_size + second_size <= room) return;
  const size_t excess = first_size + second_size - room;
  size_t first_left = first_size;
  size_t second_left = second_size;
  switch (room == 0 ? TruncationStrategy::kLongestFirst : truncation.strategy) {
    case TruncationStrategy::kLongestFirst:
      if (second == nullptr) {
        first_left = room;
      } else {
        std::tie(first_left, second_left) = longest_first(first_size, second_size, room);
      }
      break;
    case TruncationStrategy::kOnlyFirst:
      if (first_size <= excess) refuse_to_cut("first", first_size, room);
      first_left = first_size - excess;
      break;
    case TruncationStrategy::kOnlySecond:
      if (second_size <= excess) refuse_to_cut("second", second_size, room);
      second_left = second_size - excess;
      break;
  }
  cut(first, first_left, truncation.side);
  if (second != nullptr) cut(*second, second_left, truncation.side);
}

// How many characters at the start and at the end of a token are blanks.
struct Blanks {
  size_t leading = 0;
  size_t trailing = 0;
};

Blanks blanks_of(std::string_view token) {
  const char32_t byte_level_blank = character_of_byte(' ');
  Blanks blanks;
  bool leading = true;
  for (size_t at = 0; at < token.size();) {
    const char32_t c = next_code_point(token, at);
    const bool blank = c == byte_level_blank || is_white_space(c);
    leading = leading && blank;
    if (leading) ++blanks.leading;
    blanks.trailing = blank ? blanks.trailing + 1 : 0;
  }
  return blanks;
}

// The offsets without the blanks at the ends of the token.
Span trimmed(Span range, Blanks blanks, std::string_view text) {
  size_t begin = range.begin;
  for (size_t i = 0; i < blanks.leading && begin < range.end; ++i) next_code_point(text, begin);
  size_t end = range.end;
  size_t left = blanks.trailing;
  for (; left > 0 && end > 0; --left) {
    --end;
    while (end > 0 && !begins_character(text[end])) --end;
  }
  if (left > 0) end = range.end;  // as the package: more blanks than the text has there
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(std::max(begin, end))};
}

void trim_offsets(const Tokenizer& tokenizer, const Tokenizer::Parts& parts, std::string_view text,
                  TextTokens& tokens) {
  for (const PostProcessor::Trim trim : parts.post_processor.trims) {
    for (size_t i = 0; i < tokens.ids.size(); ++i) {
      Span& range = tokens.offsets[i];
      const AddedToken* added = parts.added.find(tokens.ids[i]);
      // An added token may have the white space around it, which its name does not show.
      const bool wider = added != nullptr && (added->matching.lstrip || added->matching.rstrip);
      Blanks blanks = blanks_of(wider ? text.substr(range.begin, range.size())
                                      : std::string_view(tokenizer.token_of(tokens.ids[i])));
      const bool first = i == 0 || range.begin == 0;
      if (first && blanks.leading > 0 && trim == PostProcessor::Trim::kKeepFirst) --blanks.leading;
      range = trimmed(range, blanks, text);
    }
  }
}

// Calls special(part) and text(tokens, part) for the parts of the template, in order.
template <typename Special, typename Text>
void fill(const PostProcessor::Template& parts, Surround surround, const TextTokens& first,
          const TextTokens* second, Special special, Text text) {
  for (const PostProcessor::Part& part : parts) {
    if (part.kind == Kind::kSpecial) {
      if (surround == Surround::kYes) special(part);
    } else if (part.kind == Kind::kFirst) {
      text(first, part);
    } else if (second != nullptr) {
      text(*second, part);
    }
  }
}

}  // namespace

std::vector<uint8_t> Encoding::special_tokens_mask() const {
  std::vector<uint8_t> mask;
  mask.reserve(sequence_ids.size());
  for (const int8_t sequence : sequence_ids) mask.push_back(sequence == kAround ? 1 : 0);
  return mask;
}

Encoding Tokenizer::encode(std::string_view text, Surround surround) const {
  return encode_texts(text, nullptr, surround);
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                Surround surround) const {
  return encode_texts(first, &second, surround);
}

Encoding Tokenizer::encode_texts(std::string_view first_text, const std::string_view* second_text,
                                 Surround surround) const {
  TextTokens first = tokens_of(*parts_, first_text, Tracking::kOn);
  TextTokens second_tokens;
  TextTokens* second = nullptr;
  if (second_text != nullptr) {
    second_tokens = tokens_of(*parts_, *second_text, Tracking::kOn);
    second = &second_tokens;
  }
  const PostProcessor& processor = parts_->post_processor;
  const PostProcessor::Template& around = second != nullptr ? processor.pair : processor.single;
  if (parts_->truncation) {
    truncate(*parts_->truncation, room_for_texts(*parts_->truncation, around, surround), first,
             second);
  }
  trim_offsets(*this, *parts_, first_text, first);
  if (second != nullptr) trim_offsets(*this, *parts_, *second_text, *second);

  Encoding encoding;
  const auto add = [&](int32_t id, Span range, int32_t type, int8_t sequence) {
    encoding.ids.push_back(id);
    encoding.tokens.push_back(token_of(id));
    encoding.offsets.push_back(range);
    encoding.type_ids.push_back(type);
    encoding.sequence_ids.push_back(sequence);
  };
  fill(
      around, surround, first, second,
      [&](const PostProcessor::Part& part) {
        add(part.id, Span{}, part.type_id, Encoding::kAround);
      },
      [&](const TextTokens& tokens, const PostProcessor::Part& part) {
        for (size_t i = 0; i < tokens.ids.size(); ++i) {
          add(tokens.ids[i], tokens.offsets[i], part.type_id, part.kind == Kind::kSecond ? 1 : 0);
        }
      });
  return encoding;
}

std::vector<int32_t> Tokenizer::encode_ids(std::string_view text, Surround surround) const {
  std::vector<int32_t> ids;
  encode_ids(text, ids, surround);
  return ids;
}

void Tokenizer::encode_ids(std::string_view text, std::vector<int32_t>& ids,
                           Surround surround) const {
  ids.clear();
  const PostProcessor::Template& around = parts_->post_processor.single;
  for (const PostProcessor::Part& part : around) {
    if (part.kind == Kind::kSpecial) {
      if (surround == Surround::kYes) ids.push_back(part.id);
      continue;
    }
    const size_t before = ids.size();
    tokenize(*parts_, text, Tracking::kOff,
             [&](int32_t id, Span, const SplitText&) { ids.push_back(id); });
    if (!parts_->truncation) continue;
    const size_t room = room_for_texts(*parts_->truncation, around, surround);
    if (ids.size() - before > room &&
        parts_->truncation->strategy == TruncationStrategy::kOnlySecond && room > 0) {
      refuse_to_cut("second", 0, room);
    }
    cut(ids, room, parts_->truncation->side, before);
  }
}

EncodedIds Tokenizer::encode_pair_ids(std::string_view first_text, std::string_view second_text,
                                      Surround surround) const {
  TextTokens first = tokens_of(*parts_, first_text, Tracking::kOff);
  TextTokens second = tokens_of(*parts_, second_text, Tracking::kOff);
  const PostProcessor::Template& around = parts_->post_processor.pair;
  if (parts_->truncation) {
    truncate(*parts_->truncation, room_for_texts(*parts_->truncation, around, surround), first,
             &second);
  }
  EncodedIds encoding;
  fill(
      around, surround, first, &second,
      [&](const PostProcessor::Part& part) {
        encoding.ids.push_back(part.id);
        encoding.type_ids.push_back(part.type_id);
      },
      [&](const TextTokens& tokens, const PostProcessor::Part& part) {
        encoding.ids.insert(encoding.ids.end(), tokens.ids.begin(), tokens.ids.end());
        encoding.type_ids.resize(encoding.ids.size(), part.type_id);
      });
  return encoding;
}

}  // namespace heed::text
