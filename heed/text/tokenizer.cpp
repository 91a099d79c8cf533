#include "heed/text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/byte_alphabet.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

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
void tokenize(const Tokenizer::Parts& parts, std::string_view text, AlignedText::Tracking tracking,
              Sink sink) {
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

bool adds_specials(const Tokenizer::Parts& parts, Surround surround) {
  return surround == Surround::kYes && parts.post_processor;
}

// Cuts to the longest length, leaving room for the special tokens around the text.
template <typename Value>
void truncate(const Tokenizer::Parts& parts, Surround surround, std::vector<Value>& values) {
  if (!parts.truncation) return;
  const size_t added = adds_specials(parts, surround) ? parts.post_processor->before.size() +
                                                            parts.post_processor->after.size()
                                                      : 0;
  const auto longest = static_cast<size_t>(parts.truncation->max_length);
  const size_t room = longest > added ? longest - added : 0;
  if (values.size() <= room) return;
  if (parts.truncation->side == TruncationSide::kLeft) {
    values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(room));
  } else {
    values.resize(room);
  }
}

// Puts the special tokens around; `special` makes the value that stands for one of their ids.
template <typename Value, typename Special>
void add_specials(const Tokenizer::Parts& parts, Surround surround, std::vector<Value>& values,
                  Special special) {
  if (!adds_specials(parts, surround)) return;
  std::vector<Value> before;
  for (const int32_t id : parts.post_processor->before) before.push_back(special(id));
  values.insert(values.begin(), before.begin(), before.end());
  for (const int32_t id : parts.post_processor->after) values.push_back(special(id));
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
    while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  }
  if (left > 0) end = range.end;  // as the package: more blanks than the text has there
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(std::max(begin, end))};
}

}  // namespace

void check_added_tokens(const std::vector<AddedToken>& tokens, const Model& model) {
  int32_t next = model.vocabulary().size();
  int32_t last = kNoId;
  for (const AddedToken& token : tokens) {
    check_usage(!token.content.empty() && is_utf8(token.content),
                "an added token must be UTF-8 text that is not empty, this is ",
                excerpt(token.content));
    check_usage(token.id > last, "added token ", excerpt(token.content),
                ": expected an id above that of the added token before it (", last, "), found ",
                token.id);
    last = token.id;
    const int32_t known = model.vocabulary().id_of(token.content);
    const int32_t expected = known == kNoId ? next++ : known;
    check_usage(token.id == expected, "added token ", excerpt(token.content), ": expected the id ",
                expected, ", ",
                known == kNoId ? "the first that is free" : "which the model gives it", ", found ",
                token.id);
  }
}

Tokenizer::Tokenizer(Parts parts) {
  parts.hidden = {};
  for (const AddedToken& token : parts.added.tokens()) {
    const bool special = token.kind == AddedToken::Kind::kSpecial;
    if (special && parts.specials == Specials::kAsText) parts.hidden.add(token.id);
  }
  parts_ = std::make_shared<Parts>(std::move(parts));
}

Encoding Tokenizer::encode(std::string_view text, Surround surround) const {
  check_text(text);
  Encoding encoding;
  tokenize(*parts_, text, AlignedText::Tracking::kOn,
           [&](int32_t id, Span range, const SplitText& split) {
             encoding.ids.push_back(id);
             encoding.offsets.push_back(split.text.source(range));
           });
  truncate(*parts_, surround, encoding.ids);
  truncate(*parts_, surround, encoding.offsets);
  trim_offsets(text, encoding);
  add_specials(*parts_, surround, encoding.ids, [](int32_t id) { return id; });
  add_specials(*parts_, surround, encoding.offsets, [](int32_t) { return Span{}; });
  encoding.tokens.reserve(encoding.ids.size());
  for (const int32_t id : encoding.ids) encoding.tokens.push_back(token_of(id));
  return encoding;
}

void Tokenizer::trim_offsets(std::string_view text, Encoding& encoding) const {
  if (!parts_->post_processor) return;
  for (const PostProcessor::Trim trim : parts_->post_processor->trims) {
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      Span& range = encoding.offsets[i];
      Blanks blanks = blanks_of(token_of(encoding.ids[i]));
      const bool first = i == 0 || range.begin == 0;
      if (first && blanks.leading > 0 && trim == PostProcessor::Trim::kKeepFirst) --blanks.leading;
      range = trimmed(range, blanks, text);
    }
  }
}

std::vector<int32_t> Tokenizer::encode_ids(std::string_view text, Surround surround) const {
  std::vector<int32_t> ids;
  encode_ids(text, ids, surround);
  return ids;
}

void Tokenizer::encode_ids(std::string_view text, std::vector<int32_t>& ids,
                           Surround surround) const {
  check_text(text);
  ids.clear();
  tokenize(*parts_, text, AlignedText::Tracking::kOff,
           [&](int32_t id, Span, const SplitText&) { ids.push_back(id); });
  truncate(*parts_, surround, ids);
  add_specials(*parts_, surround, ids, [](int32_t id) { return id; });
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    const std::string& token = token_of(id);
    const AddedToken* added = parts_->added.find(id);
    if (added == nullptr) {
      tokens.push_back(token);
    } else if (added->kind != AddedToken::Kind::kSpecial) {
      tokens.push_back(parts_->added.spelling(*added));
    }
  }
  if (parts_->decoder) {
    uint64_t bytes = 0;
    for (const std::string& token : tokens) bytes += token.size();
    tokens = parts_->decoder->apply(
        std::move(tokens), std::max(AlignedText::kLeastRoom, AlignedText::kMostGrowth * bytes));
  }
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts_->decoder) text += ' ';
    text += tokens[i];
  }
  return text;
}

int32_t Tokenizer::size() const {
  int32_t size = parts_->model->vocabulary().size();
  if (!added_tokens().empty()) size = std::max(size, added_tokens().back().id + 1);
  return size;
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const int32_t id = parts_->model->vocabulary().id_of(token);
  if (id != kNoId) return id;
  for (const AddedToken& added : added_tokens()) {
    if (added.content == token) return added.id;
  }
  return std::nullopt;
}

const std::string& Tokenizer::token_of(int32_t id) const {
  check_usage(id >= 0 && id < size(), "token id ", id, ": expected one from 0 to ", size() - 1);
  const Vocabulary& vocabulary = parts_->model->vocabulary();
  return id < vocabulary.size() ? vocabulary.token_of(id) : parts_->added.find(id)->content;
}

std::optional<int32_t> Tokenizer::padding_id() const {
  if (parts_->padding_id) return parts_->padding_id;
  for (const AddedToken& added : added_tokens()) {
    for (const char* name : {"[PAD]", "<pad>", "<|padding|>"}) {
      if (added.content == name) return added.id;
    }
  }
  return std::nullopt;
}

std::optional<int32_t> Tokenizer::unknown_id() const {
  const int32_t id = parts_->model->unknown_id();
  return id == kNoId ? std::nullopt : std::optional(id);
}

std::span<const AddedToken> Tokenizer::added_tokens() const { return parts_->added.tokens(); }

std::optional<int32_t> Tokenizer::max_length() const {
  return parts_->truncation ? std::optional(parts_->truncation->max_length) : std::nullopt;
}

Tokenizer Tokenizer::with_max_length(std::optional<int32_t> max_length) const {
  check_usage(!max_length || *max_length >= 1, "max_length: expected at least 1, found ",
              max_length.value_or(1));
  Parts parts = *parts_;
  if (!max_length) {
    parts.truncation.reset();
  } else {
    if (!parts.truncation) parts.truncation.emplace();
    parts.truncation->max_length = *max_length;
  }
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::with_specials(Specials specials) const {
  Parts parts = *parts_;
  parts.specials = specials;
  return Tokenizer(std::move(parts));
}

std::string_view Tokenizer::model_type() const { return parts_->model->type(); }

}  // namespace heed::text
