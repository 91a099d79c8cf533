// Byte-pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword
// Units"): a piece starts as characters, and the pair of neighbours that was learnt first is
// merged until no learnt pair is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heed/text/model.h"

namespace heed::text {

struct BpeSettings {
  std::optional<std::string> unknown_token;  // none: a character without a token is dropped
  std::string continuing_subword_prefix;     // before every character but the first: "##"
  std::string end_of_word_suffix;            // after the last character: "</w>"
  bool fuse_unknown = false;                 // neighbouring unknown characters are one token
  bool byte_fallback = false;                // an unknown character is its bytes: "<0xE2>" ...
  bool ignore_merges = false;                // a piece that is a token needs no merges
};

struct Merge {
  std::string left;
  std::string right;
};

class Bpe final : public Model {
 public:
  // `merges` in the order they were learnt. UsageError: a part or result of a merge, or the
  // unknown token, is not in the vocabulary; a pair stands there twice.
  Bpe(Vocabulary vocabulary, std::vector<Merge> merges, BpeSettings settings = {});

  // {"type": "BPE", "dropout": null, "unk_token": null, ..., "vocab": {...}, "merges": [["a",
  // "b"]]}
  static ModelPointer read(const JsonValue& json);

  std::string_view type() const override { return "BPE"; }
  void tokenize(std::string_view piece, const HiddenIds& hidden,
                std::vector<ModelToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int32_t unknown_id() const override { return unknown_id_; }
  OrderedJson to_json() const override;

 private:
  struct MergeSlot {
    int32_t left = -1;
    int32_t right = -1;
    int32_t rank = -1;
    int32_t merged = -1;
  };

  void index_merges();
  const MergeSlot* find_merge(int32_t left, int32_t right, const HiddenIds& hidden) const;
  void append_characters(std::string_view piece, const HiddenIds& hidden,
                         std::vector<ModelToken>& tokens) const;
  void append_unknown(std::string_view character, std::string_view spelt, Span range, size_t first,
                      std::vector<ModelToken>& tokens) const;
  void merge_short(size_t first, const HiddenIds& hidden, std::vector<ModelToken>& tokens) const;
  void merge_long(size_t first, const HiddenIds& hidden, std::vector<ModelToken>& tokens) const;

  Vocabulary vocabulary_;
  std::vector<Merge> merges_;
  BpeSettings settings_;
  int32_t unknown_id_;
  std::vector<int32_t> byte_ids_;   // of "<0x00>" ... "<0xFF>"; empty: none
  std::vector<int32_t> ascii_ids_;  // of single ASCII characters without prefix and suffix
  std::vector<MergeSlot> slots_;    // open addressing, at most half full
};

}  // namespace heed::text
