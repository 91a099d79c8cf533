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
  if (first_pieces.defined()) {
    return {.lengths = lengths.to(device),
            .pieces = pieces.to(device),
            .first_pieces = first_pieces.to(device)};
  }
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

WordReader::WordReader(std::shared_ptr<const text::Tokenizer> pieces, int64_t padding,
                       int64_t longest)
    : subwords_(std::make_shared<const text::Tokenizer>(pieces->with_max_length(std::nullopt))),
      padding_(padding),
      longest_(longest) {}

// The words of a piece by where it stands in the sentence; of a word, at most so many pieces that
// all fit.
WordReader::Pieces WordReader::pieces_of(const std::vector<std::string>& words) const {
  std::string sentence;
  std::vector<size_t> ends;
  for (const std::string& word : words) {
    if (!sentence.empty()) sentence += ' ';
    sentence += word;
    ends.push_back(sentence.size());
  }
  const text::Encoding encoding = subwords_->encode(sentence);
  const size_t none = words.size();  // special tokens around the sentence
  std::vector<size_t> word_of(encoding.ids.size(), none);
  std::vector<int64_t> counts(words.size(), 0);
  int64_t around = 0;
  for (size_t i = 0, word = 0; i < encoding.ids.size(); ++i) {
    const text::Span& span = encoding.offsets[i];
    if (encoding.sequence_ids[i] == text::Encoding::kAround) {
      ++around;
      continue;
    }
    while (word + 1 < words.size() && ends[word] <= span.begin) ++word;
    word_of[i] = word;
    ++counts[word];
  }
  int64_t most = *std::max_element(counts.begin(), counts.end());
  const auto total = [&] {
    int64_t sum = around;
    for (const int64_t count : counts) sum += std::min(count, most);
    return sum;
  };
  while (most > 1 && total() > longest_) --most;
  check_usage(total() <= longest_, "the sentence: expected at most ", longest_,
              " tokens, which the model reads, got ", total());
  Pieces pieces{.first = std::vector<int64_t>(words.size(), 0)};
  std::vector<int64_t> taken(words.size() + 1, 0);
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const size_t word = word_of[i];
    if (word != none) {
      if (taken[word] == most) continue;
      if (taken[word]++ == 0) pieces.first[word] = std::ssize(pieces.ids);
    }
    pieces.ids.push_back(encoding.ids[i]);
  }
  return pieces;
}

WordBatch WordReader::batch_of_pieces(
    std::span<const std::vector<std::string>* const> sentences) const {
  const auto count = static_cast<int64_t>(sentences.size());
  size_t longest = 1;
  for (const auto* words : sentences) longest = std::max(longest, words->size());
  WordBatch batch{.lengths = at::empty({count}, at::kLong),
                  .first_pieces = at::zeros({count, static_cast<int64_t>(longest)}, at::kLong)};
  auto* first = batch.first_pieces.mutable_data_ptr<int64_t>();
  auto* lengths = batch.lengths.mutable_data_ptr<int64_t>();
  std::vector<Pieces> all;
  for (const auto* words : sentences) {
    all.push_back(words->empty() ? Pieces{.ids = subwords_->encode_ids("")} : pieces_of(*words));
    std::copy(all.back().first.begin(), all.back().first.end(), first);
    first += longest;
    *lengths++ = std::ssize(*words);
  }
  IdRows rows;
  for (const Pieces& each : all) rows.push_back(&each.ids);
  batch.pieces = text_batch(rows, padding_);
  return batch;
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
  if (characters_ == nullptr) return {};  // of pieces, which no word by itself has
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
  if (characters_ == nullptr) return batch_of_pieces(sentences);
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
