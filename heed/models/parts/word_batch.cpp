#include "heed/models/parts/word_batch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/parts/text_batch.h"

namespace heed::models {
namespace {

// Words are forgotten beyond this, so that a long stream does not fill the memory.
constexpr size_t kMostKnown = 200'000;

void check_ids(const char* what, const text::Tokenizer& tokenizer) {
  check_usage(tokenizer.padding_id().has_value() && tokenizer.unknown_id().has_value(), what,
              ": expected a tokenizer with an id for padding and one for unknown words");
}

}  // namespace

WordBatch WordBatch::to(at::Device device) const {
  return {.rows = rows.to(device),
          .lengths = lengths.to(device),
          .subwords = subwords.to(device),
          .characters = characters.to(device),
          .shapes = shapes.to(device)};
}

WordReader::WordReader(std::shared_ptr<const text::Tokenizer> subwords,
                       std::shared_ptr<const text::Tokenizer> characters, const Limits& limits)
    : subwords_(std::move(subwords)), characters_(std::move(characters)), limits_(limits) {
  check_ids("subwords", *subwords_);
  check_ids("characters", *characters_);
  check_usage(limits.subwords > 0 && limits.characters > 1,
              "words: expected room for at least 1 subword and 2 characters, got ", limits.subwords,
              " and ", limits.characters);
}

WordReader::WordPointer WordReader::known(const std::string& word) const {
  {
    const std::lock_guard lock(known_->mutex);
    const auto found = known_->words.find(word);
    if (found != known_->words.end()) return found->second;
  }
  auto parts = std::make_shared<const Word>(read(word));
  const std::lock_guard lock(known_->mutex);
  if (known_->words.size() >= kMostKnown) known_->words.clear();
  return known_->words.emplace(word, std::move(parts)).first->second;
}

WordReader::Word WordReader::read(const std::string& word) const {
  Word parts{.subwords = subwords_->encode_ids(word, text::Surround::kNo),
             .characters = characters_->encode_ids(word, text::Surround::kNo),
             .shape = text::word_shape(word)};
  if (parts.subwords.empty()) parts.subwords = {subwords_->unknown_id().value()};
  if (parts.characters.empty()) parts.characters = {characters_->unknown_id().value()};
  parts.is_cut = std::ssize(parts.subwords) > limits_.subwords ||
                 std::ssize(parts.characters) > limits_.characters;
  if (parts.subwords.size() > static_cast<size_t>(limits_.subwords)) {
    parts.subwords.resize(static_cast<size_t>(limits_.subwords));
  }
  if (const auto most = limits_.characters; std::ssize(parts.characters) > most) {
    const auto first = parts.characters.begin() + most / 2;
    parts.characters.erase(first, parts.characters.end() - (most - most / 2));
  }
  return parts;
}

WordBatch WordReader::batch(std::span<const std::vector<std::string>* const> sentences) const {
  const auto count = static_cast<int64_t>(sentences.size());
  size_t longest = 1;
  for (const auto* words : sentences) longest = std::max(longest, words->size());
  WordBatch batch{.rows = at::zeros({count, static_cast<int64_t>(longest)}, at::kLong),
                  .lengths = at::empty({count}, at::kLong)};
  auto* row_of_word = batch.rows.mutable_data_ptr<int64_t>();
  auto* lengths = batch.lengths.mutable_data_ptr<int64_t>();
  std::unordered_map<std::string_view, int64_t> rows;
  std::vector<WordPointer> words;
  for (const auto* sentence : sentences) {
    for (size_t i = 0; i < sentence->size(); ++i) {
      const auto [row, is_new] = rows.emplace((*sentence)[i], std::ssize(words));
      if (is_new) words.push_back(known((*sentence)[i]));
      row_of_word[i] = row->second;
    }
    row_of_word += longest;
    *lengths++ = std::ssize(*sentence);
  }

  IdRows subwords;
  IdRows characters;
  batch.shapes =
      at::zeros({std::max<int64_t>(1, std::ssize(words)), text::WordShape::kFeatures}, at::kLong);
  auto* shapes = batch.shapes.mutable_data_ptr<int64_t>();
  for (const WordPointer& word : words) {
    subwords.push_back(&word->subwords);
    characters.push_back(&word->characters);
    shapes = std::copy(word->shape.features.begin(), word->shape.features.end(), shapes);
  }
  // Sentences without words: the row that their padding points to.
  static const std::vector<int32_t> kNothing;
  if (words.empty()) {
    subwords.push_back(&kNothing);
    characters.push_back(&kNothing);
  }
  batch.subwords = text_batch(subwords, subwords_->padding_id().value());
  batch.characters = text_batch(characters, characters_->padding_id().value());
  return batch;
}

}  // namespace heed::models
