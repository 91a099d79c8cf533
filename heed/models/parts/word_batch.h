// Sentences of words as tensors: each distinct word once, and where it stands.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "heed/models/parts/text_batch.h"
#include "heed/text/tokenizer.h"
#include "heed/text/words/word_shape.h"

namespace heed::models {

// B sentences of at most N words, of which W are distinct; or, for published models, as pieces.
struct WordBatch {
  at::Tensor rows;       // (B, N) int64: the row of each word below; 0 behind a sentence
  at::Tensor lengths;    // (B) int64, words of each sentence
  TextBatch subwords;    // ids (W, S), lengths (W)
  TextBatch characters;  // ids (W, L), lengths (W)
  at::Tensor shapes;     // (W, text::WordShape::kFeatures) int64
  // Of published models in place of all but the lengths: the sentences with the special tokens
  // around them, ids (B, P), and the first piece of each word, (B, N) int64, 0 behind a sentence
  // and where a word leaves none.
  TextBatch pieces = {};
  at::Tensor first_pieces = {};

  WordBatch to(at::Device device) const;
};

// Turns words into numbers, each word once; or sentences into pieces.
class WordReader {
 public:
  struct Limits {
    int64_t subwords = 8;     // of a word; more are cut
    int64_t characters = 24;  // of a longer word, its two ends
  };

  // Both tokenizers need a padding id and an unknown id; throws UsageError otherwise.
  WordReader(std::shared_ptr<const text::Tokenizer> subwords,
             std::shared_ptr<const text::Tokenizer> characters, const Limits& limits);

  // Of the pieces of whole sentences, a blank between the words, at most `longest` of a sentence:
  // of one with more, words lose their last pieces. Throws UsageError where there is no room for
  // one piece of each word.
  WordReader(std::shared_ptr<const text::Tokenizer> pieces, int64_t padding, int64_t longest);

  // May be called on several threads at once. Throws DataError for a word that is not UTF-8.
  WordBatch batch(std::span<const std::vector<std::string>* const> sentences) const;

  // Whether a word has more characters or subwords than are read. Errors as batch().
  bool is_cut(const std::string& word) const { return known(word)->is_cut; }

  const Limits& limits() const { return limits_; }
  const text::Tokenizer& subwords() const { return *subwords_; }
  const text::Tokenizer& characters() const { return *characters_; }

 private:
  struct Word {
    std::vector<int32_t> subwords;
    std::vector<int32_t> characters;
    text::WordShape shape;
    bool is_cut = false;
  };
  using WordPointer = std::shared_ptr<const Word>;
  struct Known {
    std::mutex mutex;
    std::unordered_map<std::string, WordPointer> words;
  };

  struct Pieces {
    std::vector<int32_t> ids;
    std::vector<int64_t> first;  // of each word
  };

  WordBatch batch_of_pieces(std::span<const std::vector<std::string>* const> sentences) const;
  Pieces pieces_of(const std::vector<std::string>& words) const;
  WordPointer known(const std::string& word) const;
  Word read(const std::string& word) const;

  std::shared_ptr<const text::Tokenizer> subwords_;
  std::shared_ptr<const text::Tokenizer> characters_;  // null: of pieces
  Limits limits_;
  int64_t padding_ = 0;  // of pieces
  int64_t longest_ = 0;
  std::unique_ptr<Known> known_ = std::make_unique<Known>();
};

}  // namespace heed::models
