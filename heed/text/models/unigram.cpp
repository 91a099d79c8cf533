#include "heed/text/models/unigram.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

// How much less likely than the least likely token an unknown character is (as SentencePiece).
constexpr double kUnknownPenalty = 10;

// A number as the package's reader of JSON takes it: its digits as an integer, rounded, and that
// divided by a power of ten, rounded again.
double as_the_package_reads(double number) {
  std::array<char, 40> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), std::abs(number),
                                     std::chars_format::scientific);
  uint64_t digits = 0;
  int decimals = 0;
  const char* at = text.data();
  for (bool behind_point = false; *at != 'e'; ++at) {
    if (*at == '.') {
      behind_point = true;
      continue;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    if (behind_point) ++decimals;
  }
  int exponent = 0;
  const char* first = at[1] == '+' ? at + 2 : at + 1;
  std::from_chars(first, written.ptr, exponent);
  exponent -= decimals;
  // What no score is: beyond the powers that the package knows.
  if (std::abs(exponent) > std::numeric_limits<double>::max_exponent10) return number;
  double power = 1;
  const std::string spelt = "1e" + std::to_string(std::abs(exponent));
  std::from_chars(spelt.data(), spelt.data() + spelt.size(), power);
  const auto whole = static_cast<double>(digits);
  return std::copysign(exponent < 0 ? whole / power : whole * power, number);
}

}  // namespace

Unigram::Unigram(Vocabulary vocabulary, std::vector<double> scores, UnigramSettings settings)
    : vocabulary_(std::move(vocabulary)), scores_(std::move(scores)), settings_(settings) {
  check_usage(scores_.size() == static_cast<size_t>(vocabulary_.size()),
              "expected a score for each of ", vocabulary_.size(), " tokens, found ",
              scores_.size());
  double least = std::numeric_limits<double>::infinity();
  for (const double score : scores_) {
    check_usage(std::isfinite(score), "scores must be finite, found ", score);
    weights_.push_back(settings_.scores_are_read ? as_the_package_reads(score) : score);
    least = std::min(least, weights_.back());
  }
  unknown_score_ = settings_.unknown_score.value_or(least - kUnknownPenalty);
  check_usage(!settings_.unknown_id ||
                  (*settings_.unknown_id >= 0 && *settings_.unknown_id < vocabulary_.size()),
              "unknown id ", settings_.unknown_id.value_or(0), ": expected one of the ",
              vocabulary_.size(), " tokens");
  if (settings_.byte_fallback) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      byte_ids_.push_back(vocabulary_.id_of(byte_token(byte)));
    }
  }
  build_tree();
}

void Unigram::build_tree() {
  std::vector<int32_t> sorted(static_cast<size_t>(vocabulary_.size()));
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(), [&](int32_t a, int32_t b) {
    return vocabulary_.token_of(a) < vocabulary_.token_of(b);
  });
  // A node stands for sorted[begin, end), whose tokens share their first `depth` bytes. Breadth
  // first, so that the edges of a node lie together.
  struct Pending {
    size_t begin, end, depth;
  };
  std::vector<Pending> pending = {{0, sorted.size(), 0}};
  nodes_.assign(1, {});
  for (size_t at = 0; at < pending.size(); ++at) {
    auto [begin, end, depth] = pending[at];
    const auto token = [&](size_t i) -> const std::string& {
      return vocabulary_.token_of(sorted[i]);
    };
    Node node = {.id = -1, .first_edge = static_cast<uint32_t>(edges_.size()), .edges = 0};
    if (begin < end && token(begin).size() == depth) node.id = sorted[begin++];
    while (begin < end) {
      const char byte = token(begin)[depth];
      size_t next = begin + 1;
      while (next < end && token(next)[depth] == byte) ++next;
      edges_.push_back({static_cast<uint8_t>(byte), static_cast<uint32_t>(nodes_.size())});
      nodes_.emplace_back();
      pending.push_back({begin, next, depth + 1});
      ++node.edges;
      begin = next;
    }
    nodes_[at] = node;
  }
}

const Unigram::Node* Unigram::child(const Node& node, uint8_t byte) const {
  const auto first = edges_.begin() + node.first_edge;
  const auto last = first + node.edges;
  const auto found = std::lower_bound(
      first, last, byte, [](const Edge& edge, uint8_t wanted) { return edge.byte < wanted; });
  return found != last && found->byte == byte ? &nodes_[found->node] : nullptr;
}

void Unigram::append(std::string_view piece, Span range, const HiddenIds& hidden,
                     std::vector<ModelToken>& tokens) const {
  const std::string_view text = piece.substr(range.begin, range.size());
  // Unknown characters that were joined may spell a token.
  const int32_t id = hidden.visible(vocabulary_.id_of(text));
  if (id != kNoId) {
    tokens.push_back({id, range});
    return;
  }
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
  if (settings_.byte_fallback &&
      std::all_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) != kNoId; })) {
    for (const char byte : text) tokens.push_back({id_of(byte), range});
  } else if (settings_.unknown_id) {
    tokens.push_back({*settings_.unknown_id, range});
  }
}

void Unigram::tokenize(std::string_view piece, const HiddenIds& hidden,
                       std::vector<ModelToken>& tokens) const {
  // The best way to cover piece[0, i).
  struct Best {
    double score = 0;
    uint32_t begin = 0;  // of its last token
    bool reached = false;
    bool unknown = false;
  };
  std::vector<Best> best(piece.size() + 1);
  const auto offer = [&](size_t begin, size_t end, double score, bool unknown) {
    score += best[begin].score;
    if (settings_.rounds_sums) score = static_cast<float>(score);
    if (!best[end].reached || score > best[end].score) {
      best[end] = {score, static_cast<uint32_t>(begin), true, unknown};
    }
  };
  for (size_t at = 0; at < piece.size();) {
    size_t next = at + 1;  // of the next character
    while (next < piece.size() && !begins_character(piece[next])) ++next;
    bool single = false;
    const Node* node = &nodes_[0];
    for (size_t end = at; end < piece.size();) {
      node = child(*node, static_cast<uint8_t>(piece[end]));
      if (node == nullptr) break;
      ++end;
      if (hidden.visible(node->id) == kNoId) continue;
      offer(at, end, weights_[static_cast<size_t>(node->id)], node->id == unknown_id());
      single = single || end == next;
    }
    if (!single) offer(at, next, unknown_score_, true);
    at = next;
  }

  std::vector<Span> ranges;
  for (size_t end = piece.size(); end > 0; end = best[end].begin) {
    const uint32_t begin = best[end].begin;
    const bool joins = best[end].unknown && !ranges.empty() && best[ranges.back().end].unknown;
    if (joins) {
      ranges.back().begin = begin;
    } else {
      ranges.push_back({begin, static_cast<uint32_t>(end)});
    }
  }
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    append(piece, *range, hidden, tokens);
  }
}

ModelPointer Unigram::read(const JsonValue& json) {
  json.check_keys({"type", "unk_id", "vocab", "byte_fallback"});
  const JsonValue list = json.at("vocab");
  std::vector<std::string> tokens;
  std::vector<double> scores;
  for (size_t i = 0, size = list.array_size(); i < size; ++i) {
    const Json& entry = list.json()[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      list.at(i).fail("a token and its score, [\"a\", -3.5]");
    }
    tokens.push_back(entry[0].get<std::string>());
    scores.push_back(entry[1].get<double>());
  }
  UnigramSettings settings = {.scores_are_read = true};
  if (json.has("unk_id")) {
    settings.unknown_id = static_cast<int32_t>(
        json.at("unk_id").integer({.least = 0, .most = static_cast<int64_t>(tokens.size()) - 1}));
  }
  if (json.has("byte_fallback")) settings.byte_fallback = json.at("byte_fallback").boolean();
  try {
    return std::make_shared<Unigram>(Vocabulary(std::move(tokens)), std::move(scores), settings);
  } catch (const UsageError& error) {
    throw DataError(json.file(), text_of("field '", json.path(), ".vocab': ", error.what()));
  }
}

OrderedJson Unigram::to_json() const {
  OrderedJson::array_t vocabulary;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    vocabulary.push_back({vocabulary_.token_of(id), scores_[static_cast<size_t>(id)]});
  }
  OrderedJson json;
  json["type"] = type();
  json["unk_id"] = settings_.unknown_id ? OrderedJson(*settings_.unknown_id) : OrderedJson(nullptr);
  json["vocab"] = std::move(vocabulary);
  json["byte_fallback"] = settings_.byte_fallback;
  return json;
}

}  // namespace heed::text
