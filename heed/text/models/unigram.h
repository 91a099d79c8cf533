// Unigram (Kudo 2018, "Subword Regularization"): every token has a log-probability, and a piece is
// covered by the tokens whose sum is largest.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heed/text/model.h"

namespace heed::text {

struct UnigramSettings {
  std::optional<int32_t> unknown_id;  // none: a character without a token is dropped
  bool byte_fallback = false;         // an unknown character is its bytes: "<0xE2>" ...
  // Of an unknown character; none: ten less than the least score.
  std::optional<double> unknown_score = {};
  // Sums of scores are rounded to float32 before they are compared, as SentencePiece 0.2.3 does;
  // the `tokenizers` package does not.
  bool rounds_sums = false;
  // The scores stand in a tokenizer.json: they count as the package reads them, whose last bit is
  // not always that of the nearest number. It decides where "-", "--" and "--", "-" are equally
  // likely.
  bool scores_are_read = false;
};

class Unigram final : public Model {
 public:
  // `scores` are the log-probabilities of the tokens, by id. UsageError: not as many scores as
  // tokens, a score that is not finite, an unknown id out of range.
  Unigram(Vocabulary vocabulary, std::vector<double> scores, UnigramSettings settings);

  // {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ...], "byte_fallback": false}
  static ModelPointer read(const JsonValue& json);

  std::string_view type() const override { return "Unigram"; }
  void tokenize(std::string_view piece, const HiddenIds& hidden,
                std::vector<ModelToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int32_t unknown_id() const override { return settings_.unknown_id.value_or(-1); }
  OrderedJson to_json() const override;

 private:
  // A node of the tree of all tokens: its children are edges_[first_edge, first_edge + edges),
  // sorted by byte.
  struct Node {
    int32_t id = -1;  // of the token that ends here
    uint32_t first_edge = 0;
    uint32_t edges = 0;
  };
  struct Edge {
    uint8_t byte;
    uint32_t node;
  };

  void build_tree();
  const Node* child(const Node& node, uint8_t byte) const;
  void append(std::string_view piece, Span range, const HiddenIds& hidden,
              std::vector<ModelToken>& tokens) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;   // as they were given
  std::vector<double> weights_;  // what is summed
  UnigramSettings settings_;
  double unknown_score_ = 0;
  std::vector<int32_t> byte_ids_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
};

}  // namespace heed::text
