#include "heed/text/models/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <queue>
#include <tuple>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

// Up to here looking at all pairs again after each merge is faster than a queue.
constexpr size_t kShortPiece = 48;

size_t hash_of(int32_t left, int32_t right) {
  const uint64_t pair = uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  return static_cast<size_t>((pair * 0x9E3779B97F4A7C15u) >> 29);
}

std::string merged_spelling(const Merge& merge, const std::string& prefix) {
  const bool prefixed = !prefix.empty() && merge.right.starts_with(prefix);
  return merge.left + (prefixed ? merge.right.substr(prefix.size()) : merge.right);
}

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, std::vector<Merge> merges, BpeSettings settings)
    : vocabulary_(std::move(vocabulary)),
      merges_(std::move(merges)),
      settings_(std::move(settings)),
      unknown_id_(settings_.unknown_token ? vocabulary_.id_of(*settings_.unknown_token) : kNoId) {
  check_usage(!settings_.unknown_token || unknown_id_ != kNoId, "the unknown token ",
              excerpt(settings_.unknown_token.value_or("")), " is not in the vocabulary");
  if (settings_.byte_fallback) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      byte_ids_.push_back(vocabulary_.id_of(byte_token(byte)));
    }
  }
  for (char c = 0; c >= 0 && ascii_ids_.size() < 128; ++c) {
    ascii_ids_.push_back(vocabulary_.id_of(std::string_view(&c, 1)));
  }
  index_merges();
}

void Bpe::index_merges() {
  slots_.assign(std::bit_ceil(2 * merges_.size() + 1), {});
  const size_t mask = slots_.size() - 1;
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const Merge& merge = merges_[rank];
    const std::string spelling = merged_spelling(merge, settings_.continuing_subword_prefix);
    const auto id_of = [&](const std::string& token) {
      const int32_t id = vocabulary_.id_of(token);
      if (id == kNoId) {
        throw UsageError(text_of("merge ", rank, ", ", excerpt(merge.left), " with ",
                                 excerpt(merge.right), ": ", excerpt(token),
                                 " is not in the vocabulary"));
      }
      return id;
    };
    const MergeSlot slot = {.left = id_of(merge.left),
                            .right = id_of(merge.right),
                            .rank = static_cast<int32_t>(rank),
                            .merged = id_of(spelling)};
    size_t at = hash_of(slot.left, slot.right) & mask;
    for (; slots_[at].left != kNoId; at = (at + 1) & mask) {
      if (slots_[at].left == slot.left && slots_[at].right == slot.right) {
        throw UsageError(text_of("merge ", rank, ", ", excerpt(merge.left), " with ",
                                 excerpt(merge.right), ", stands there twice"));
      }
    }
    slots_[at] = slot;
  }
}

const Bpe::MergeSlot* Bpe::find_merge(int32_t left, int32_t right, const HiddenIds& hidden) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash_of(left, right) & mask; slots_[at].left != kNoId; at = (at + 1) & mask) {
    if (slots_[at].left != left || slots_[at].right != right) continue;
    return hidden.contains(slots_[at].merged) ? nullptr : &slots_[at];
  }
  return nullptr;
}

void Bpe::append_unknown(std::string_view character, std::string_view spelt, Span range,
                         size_t first, std::vector<ModelToken>& tokens) const {
  if (settings_.byte_fallback) {
    const auto id_of = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
    if (std::all_of(spelt.begin(), spelt.end(), [&](char b) { return id_of(b) != kNoId; })) {
      for (size_t i = 0; i < spelt.size(); ++i) {
        const bool inside = spelt.size() == character.size();
        const auto at = static_cast<uint32_t>(inside ? i : 0);
        tokens.push_back(
            {id_of(spelt[i]), inside ? Span{range.begin + at, range.begin + at + 1} : range});
      }
      return;
    }
  }
  if (unknown_id_ == kNoId) return;
  const bool follows = tokens.size() > first && tokens.back().id == unknown_id_ &&
                       tokens.back().range.end == range.begin;
  if (settings_.fuse_unknown && follows) {
    tokens.back().range.end = range.end;
  } else {
    tokens.push_back({unknown_id_, range});
  }
}

void Bpe::append_characters(std::string_view piece, const HiddenIds& hidden,
                            std::vector<ModelToken>& tokens) const {
  const bool plain =
      settings_.continuing_subword_prefix.empty() && settings_.end_of_word_suffix.empty();
  const size_t first = tokens.size();
  std::string spelt;
  for (size_t at = 0; at < piece.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(piece, at);
    const Span range = {static_cast<uint32_t>(begin), static_cast<uint32_t>(at)};
    const std::string_view character = piece.substr(begin, at - begin);
    int32_t id;
    if (plain) {
      id = hidden.visible(c < 0x80 ? ascii_ids_[c] : vocabulary_.id_of(character));
      if (id == kNoId) append_unknown(character, character, range, first, tokens);
    } else {
      spelt = begin > 0 ? settings_.continuing_subword_prefix : std::string();
      spelt += character;
      if (at == piece.size()) spelt += settings_.end_of_word_suffix;
      id = hidden.visible(vocabulary_.id_of(spelt));
      if (id == kNoId) append_unknown(character, spelt, range, first, tokens);
    }
    if (id != kNoId) tokens.push_back({id, range});
  }
}

void Bpe::merge_short(size_t first, const HiddenIds& hidden,
                      std::vector<ModelToken>& tokens) const {
  // merges[i] is what tokens[first + i] and the next one make.
  std::array<const MergeSlot*, kShortPiece> merges;
  const auto merge_at = [&](size_t i) {
    return find_merge(tokens[first + i].id, tokens[first + i + 1].id, hidden);
  };
  size_t count = tokens.size() - first;
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = merge_at(i);
  while (true) {
    size_t best = count;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (merges[i] != nullptr && (best == count || merges[i]->rank < merges[best]->rank)) best = i;
    }
    if (best == count) break;
    ModelToken& left = tokens[first + best];
    left = {merges[best]->merged, {left.range.begin, tokens[first + best + 1].range.end}};
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(first + best + 1));
    std::copy(merges.begin() + best + 1, merges.begin() + count - 1, merges.begin() + best);
    --count;
    if (best > 0) merges[best - 1] = merge_at(best - 1);
    if (best + 1 < count) merges[best] = merge_at(best);
  }
}

void Bpe::merge_long(size_t first, const HiddenIds& hidden, std::vector<ModelToken>& tokens) const {
  struct Symbol {
    ModelToken token;
    size_t previous, next;  // of those that are left
    bool gone = false;
  };
  struct Candidate {
    int32_t rank;
    size_t left;
    int32_t left_id, right_id;  // as they were when this was found
  };
  const size_t count = tokens.size() - first;
  std::vector<Symbol> symbols;
  for (size_t i = 0; i < count; ++i) symbols.push_back({tokens[first + i], i - 1, i + 1});

  const auto later = [](const Candidate& a, const Candidate& b) {
    return std::tie(a.rank, a.left) > std::tie(b.rank, b.left);
  };
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(later)> queue(later);
  const auto consider = [&](size_t left) {
    if (left >= count || symbols[left].next >= count) return;  // before the first, or the last
    const int32_t left_id = symbols[left].token.id;
    const int32_t right_id = symbols[symbols[left].next].token.id;
    if (const MergeSlot* merge = find_merge(left_id, right_id, hidden)) {
      queue.push({merge->rank, left, left_id, right_id});
    }
  };
  for (size_t i = 0; i + 1 < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = symbols[top.left];
    if (left.gone || left.token.id != top.left_id || left.next >= count) continue;
    Symbol& right = symbols[left.next];
    if (right.token.id != top.right_id) continue;
    left.token = {find_merge(top.left_id, top.right_id, hidden)->merged,
                  {left.token.range.begin, right.token.range.end}};
    right.gone = true;
    left.next = right.next;
    if (left.next < count) symbols[left.next].previous = top.left;
    consider(left.previous);
    consider(top.left);
  }
  tokens.resize(first);
  for (size_t i = 0; i < count; i = symbols[i].next) tokens.push_back(symbols[i].token);
}

void Bpe::tokenize(std::string_view piece, const HiddenIds& hidden,
                   std::vector<ModelToken>& tokens) const {
  if (settings_.ignore_merges) {
    const int32_t id = hidden.visible(vocabulary_.id_of(piece));
    if (id != kNoId) {
      tokens.push_back({id, {0, static_cast<uint32_t>(piece.size())}});
      return;
    }
  }
  const size_t first = tokens.size();
  append_characters(piece, hidden, tokens);
  if (tokens.size() - first <= kShortPiece) {
    merge_short(first, hidden, tokens);
  } else {
    merge_long(first, hidden, tokens);
  }
}

}  // namespace heed::text
