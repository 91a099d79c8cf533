#include "heed/tasks/text/token_entities.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/models/published/published.h"
#include "heed/tasks/common/batches.h"

namespace heed::tasks {
namespace {

constexpr std::string_view kOutside = "O";

constexpr auto kAggregations = std::to_array<std::pair<const char*, Aggregation>>({
    {"none", Aggregation::kNone},
    {"simple", Aggregation::kSimple},
    {"first", Aggregation::kFirst},
    {"average", Aggregation::kAverage},
    {"max", Aggregation::kMax},
});

// A piece or a word with one label.
struct Labelled {
  std::string label;
  double probability;
  text::Span span;
};

// The likeliest label.
Labelled likeliest_label(const std::vector<double>& shares, const std::vector<std::string>& labels,
                         const text::Span& span) {
  const auto best = std::max_element(shares.begin(), shares.end());
  return {labels[static_cast<size_t>(best - shares.begin())], *best, span};
}

Labelled labelled_word(std::span<const TaggedPiece> pieces, const std::vector<std::string>& labels,
                       Aggregation aggregation) {
  const auto surest = [](const TaggedPiece& piece) {
    return *std::max_element(piece.probabilities.begin(), piece.probabilities.end());
  };
  std::vector<double> shares = pieces[0].probabilities;
  if (aggregation == Aggregation::kMax) {
    shares = std::max_element(pieces.begin(), pieces.end(), [&](const auto& a, const auto& b) {
               return surest(a) < surest(b);
             })->probabilities;
  } else if (aggregation == Aggregation::kAverage) {
    for (const TaggedPiece& piece : pieces.subspan(1)) {
      for (size_t i = 0; i < shares.size(); ++i) shares[i] += piece.probabilities[i];
    }
    for (double& share : shares) share /= static_cast<double>(pieces.size());
  }
  return likeliest_label(shares, labels, {pieces.front().span.begin, pieces.back().span.end});
}

std::vector<Labelled> labelled_words(const std::vector<TaggedPiece>& pieces,
                                     const std::vector<std::string>& labels,
                                     Aggregation aggregation) {
  const std::span<const TaggedPiece> all(pieces);
  std::vector<Labelled> words;
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    for (end = begin + 1; end < all.size() && all[end].continues;) ++end;
    words.push_back(labelled_word(all.subspan(begin, end - begin), labels, aggregation));
  }
  return words;
}

// "PER" of "B-PER" and "I-PER".
std::string_view type_behind(std::string_view label) {
  const bool has_letter = label.starts_with("B-") || label.starts_with("I-");
  return has_letter ? label.substr(2) : label;
}

// What stands behind the first hyphen: also "PER" of "S-PER".
std::string type_of_group(const std::string& label) {
  const size_t hyphen = label.find('-');
  return hyphen == std::string::npos ? label : label.substr(hyphen + 1);
}

std::vector<TokenEntity> groups_of(const std::vector<Labelled>& parts) {
  std::vector<TokenEntity> groups;
  for (size_t begin = 0, end = 0; begin < parts.size(); begin = end) {
    double sum = parts[begin].probability;
    for (end = begin + 1; end < parts.size(); ++end) {
      const std::string& label = parts[end].label;
      const bool same = type_behind(label) == type_behind(parts[end - 1].label);
      if (!same || label.starts_with("B-")) break;
      sum += parts[end].probability;
    }
    groups.push_back({.type = type_of_group(parts[begin].label),
                      .probability = sum / static_cast<double>(end - begin),
                      .span = {parts[begin].span.begin, parts[end - 1].span.end}});
  }
  return groups;
}

}  // namespace

std::vector<std::string> aggregation_names() {
  std::vector<std::string> names;
  for (const auto& [name, aggregation] : kAggregations) names.emplace_back(name);
  return names;
}

Aggregation aggregation_from(const std::string& name) {
  for (const auto& [known, aggregation] : kAggregations) {
    if (name == known) return aggregation;
  }
  throw UsageError(text_of("aggregation strategy: expected one of ", joined(aggregation_names()),
                           ", got '", name, "'"));
}

std::vector<TokenEntity> aggregated(const std::vector<TaggedPiece>& pieces,
                                    const std::vector<std::string>& labels,
                                    Aggregation aggregation) {
  std::vector<TokenEntity> found;
  if (aggregation == Aggregation::kNone || aggregation == Aggregation::kSimple) {
    std::vector<Labelled> parts;
    for (const TaggedPiece& piece : pieces) {
      parts.push_back(likeliest_label(piece.probabilities, labels, piece.span));
    }
    if (aggregation == Aggregation::kSimple) {
      found = groups_of(parts);
    } else {
      for (const Labelled& part : parts) {
        found.push_back({.type = part.label, .probability = part.probability, .span = part.span});
      }
    }
  } else {
    found = groups_of(labelled_words(pieces, labels, aggregation));
  }
  std::erase_if(found, [](const TokenEntity& each) { return each.type == kOutside; });
  return found;
}

TokenEntities::TokenEntities(const models::TrainedTokenTagger& trained, Aggregation aggregation)
    : trained_(trained), aggregation_(aggregation) {
  check_usage(trained.published != nullptr,
              "aggregation strategy: has a meaning for published models alone: this one reads "
              "words");
  const std::string file = trained.tokenizer->to_json();
  const JsonValue json = parse_json(file, "tokenizer.json", {.max_bytes = file.size()});
  const JsonValue model = json.at("model");
  has_prefix_ = model.has("continuing_subword_prefix") &&
                !model.at("continuing_subword_prefix").string().empty();
}

// Without a prefix: what has no blank in front of it or as its first character.
bool TokenEntities::continues(std::string_view text, const std::string& token, int32_t id,
                              const text::Span& span) const {
  if (trained_.tokenizer->unknown_id() == id) return false;
  if (has_prefix_) return code_points(token) != code_points(text.substr(span.begin, span.size()));
  if (span.begin == 0) return false;
  return text.substr(span.begin - 1, 2).find(' ') == std::string_view::npos;
}

std::vector<TokenEntity> TokenEntities::find(std::string_view text) const {
  const c10::InferenceMode inference;
  const text::Encoding encoding = trained_.tokenizer->encode(text);
  if (encoding.ids.empty()) return {};
  const std::vector<uint8_t> around = encoding.special_tokens_mask();
  const models::TextBatch batch =
      models::text_batch({&encoding.ids}, trained_.published->pad_token_id());
  const at::Tensor logits =
      trained_.published->forward(batch.to(device_of(*trained_.published)))[0];
  const at::Tensor shares = at::softmax(logits.cpu().to(at::kDouble), -1).contiguous();
  const auto count = static_cast<size_t>(shares.size(-1));
  std::vector<TaggedPiece> pieces;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (around[i] != 0) continue;
    const double* row = shares.const_data_ptr<double>() + i * count;
    pieces.push_back(
        {.probabilities = {row, row + count},
         .span = encoding.offsets[i],
         .continues = continues(text, encoding.tokens[i], encoding.ids[i], encoding.offsets[i])});
  }
  return aggregated(pieces, trained_.published->labels(), aggregation_);
}

}  // namespace heed::tasks
