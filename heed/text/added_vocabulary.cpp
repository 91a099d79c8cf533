#include "heed/text/added_vocabulary.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

uint8_t first_byte(std::string_view text) { return static_cast<uint8_t>(text.front()); }

// The code point that ends before text[end].
char32_t code_point_before(std::string_view text, size_t end, size_t& begin) {
  begin = end - 1;
  while (!begins_character(text[begin])) --begin;
  size_t at = begin;
  return next_code_point(text, at);
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
  size_t at = 0;
  if (begin > 0 && is_word_character(code_point_before(text, begin, at))) return true;
  at = end;
  return end < text.size() && is_word_character(next_code_point(text, at));
}

size_t skip_spaces_back(std::string_view text, size_t begin, size_t least) {
  size_t before = begin;
  while (begin > least && is_white_space(code_point_before(text, begin, before))) begin = before;
  return std::max(begin, least);
}

size_t skip_spaces(std::string_view text, size_t end) {
  for (size_t at = end; at < text.size(); end = at) {
    if (!is_white_space(next_code_point(text, at))) break;
  }
  return end;
}

}  // namespace

AddedVocabulary::AddedVocabulary(std::vector<AddedToken> tokens, const Normalizer* normalizer)
    : tokens_(std::move(tokens)) {
  std::array<std::vector<Spelling>, 2> spellings;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& content = tokens_[i].content;
    AlignedText spelt(content, {0, static_cast<uint32_t>(content.size())},
                      AlignedText::Tracking::kOff);
    if (tokens_[i].matching.normalized && normalizer != nullptr) normalizer->apply(spelt);
    spellings_.emplace_back(spelt.text());
    if (spelt.size() > 0) {
      spellings[tokens_[i].matching.normalized ? 1 : 0].push_back(
          {spellings_.back(), i, tokens_[i].kind == AddedToken::Kind::kSpecial});
    }
  }
  prepare(matchers_[0], std::move(spellings[0]));
  prepare(matchers_[1], std::move(spellings[1]));
}

void AddedVocabulary::prepare(Matcher& matcher, std::vector<Spelling> spellings) {
  std::stable_sort(spellings.begin(), spellings.end(), [](const Spelling& a, const Spelling& b) {
    return std::tuple(first_byte(a.text), b.text.size()) <
           std::tuple(first_byte(b.text), a.text.size());
  });
  matcher.spellings = std::move(spellings);
  for (const Spelling& spelling : matcher.spellings) {
    ++matcher.starts_with[first_byte(spelling.text) + 1u];
  }
  for (size_t i = 1; i < matcher.starts_with.size(); ++i) {
    matcher.starts_with[i] += matcher.starts_with[i - 1];
  }
}

const AddedVocabulary::Spelling* AddedVocabulary::Matcher::longest_at(std::string_view text,
                                                                      size_t at,
                                                                      Specials specials) const {
  const auto byte = static_cast<uint8_t>(text[at]);
  for (uint32_t i = starts_with[byte]; i < starts_with[byte + 1u]; ++i) {
    if (spellings[i].special && specials == Specials::kAsText) continue;
    if (text.substr(at).starts_with(spellings[i].text)) return &spellings[i];
  }
  return nullptr;
}

const AddedToken* AddedVocabulary::find(int32_t id) const {
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), id,
                       [](const AddedToken& token, int32_t wanted) { return token.id < wanted; });
  return found != tokens_.end() && found->id == id ? &*found : nullptr;
}

const std::string& AddedVocabulary::spelling(const AddedToken& token) const {
  return spellings_[static_cast<size_t>(&token - tokens_.data())];
}

void AddedVocabulary::split(std::string_view text, Span range, In in, Specials specials,
                            std::vector<Piece>& pieces) const {
  const std::string_view part = text.substr(range.begin, range.size());
  const Matcher& matcher = matchers_[static_cast<size_t>(in)];
  size_t done = 0;  // part[0, done) stands in pieces
  const auto append = [&](size_t begin, size_t end, int32_t id) {
    if (begin < end) {
      pieces.push_back(
          {{range.begin + static_cast<uint32_t>(begin), range.begin + static_cast<uint32_t>(end)},
           id});
    }
  };
  if (!matcher.spellings.empty()) {
    for (size_t at = 0; at < part.size();) {
      const Spelling* found = matcher.longest_at(part, at, specials);
      if (found == nullptr) {
        ++at;
        continue;
      }
      const AddedToken& token = tokens_[found->token];
      size_t begin = at;
      size_t end = at + found->text.size();
      at = end;
      if (token.matching.single_word && touches_word(part, begin, end)) continue;
      if (token.matching.lstrip) begin = skip_spaces_back(part, begin, done);
      if (token.matching.rstrip) end = skip_spaces(part, end);
      // Two tokens may both want the white space between them, or one white space is a token.
      begin = std::max(begin, done);
      append(done, begin, kNoId);
      append(begin, end, token.id);
      done = std::max(done, end);
    }
  }
  append(done, part.size(), kNoId);
}

}  // namespace heed::text
