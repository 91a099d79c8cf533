#include "heed/text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {

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

Tokenizer Tokenizer::with_max_length(std::optional<int32_t> max_length,
                                     std::optional<TruncationSide> side) const {
  check_usage(!max_length || *max_length >= 1, "max_length: expected at least 1, found ",
              max_length.value_or(1));
  Parts parts = *parts_;
  if (!max_length) {
    parts.truncation.reset();
  } else {
    if (!parts.truncation) parts.truncation.emplace();
    parts.truncation->max_length = *max_length;
    if (side) parts.truncation->side = *side;
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
