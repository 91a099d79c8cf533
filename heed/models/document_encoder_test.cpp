#include "heed/models/document_encoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "heed/base/error.h"
#include "heed/models/text_classifier.h"

namespace heed::models {
namespace {

TextClassifierOptions small_document_encoder(const char* positions) {
  return {.vocab_size = 20,
          .classes = 3,
          .transformer = {.d_model = 16,
                          .num_heads = 4,
                          .num_layers = 1,
                          .d_ff = 32,
                          .max_length = 12,
                          .attention = {.positions = positions},
                          .dropout = 0,
                          .attention_dropout = 0,
                          .embedding_dropout = 0},
          .documents = "sentences",
          .max_sentences = 6};
}

using Rows = std::vector<std::vector<int64_t>>;  // the ids of each sentence

// Several documents as one batch, what stands in the padding being random.
DocumentBatch batch_of(const std::vector<Rows>& documents, int64_t padding = 0) {
  Rows rows;
  std::vector<int64_t> counts;
  int64_t longest = 1;
  for (const Rows& document : documents) {
    rows.insert(rows.end(), document.begin(), document.end());
    counts.push_back(std::ssize(document));
  }
  if (rows.empty()) rows.emplace_back();
  for (const auto& row : rows) longest = std::max(longest, std::ssize(row));
  DocumentBatch batch{
      .rows = {.ids = at::randint(0, 20, {std::ssize(rows), longest + padding}, at::kLong),
               .lengths = at::zeros({std::ssize(rows)}, at::kLong)},
      .sentences = at::tensor(counts, at::kLong)};
  for (int64_t r = 0; r < std::ssize(rows); ++r) {
    const auto& row = rows[static_cast<size_t>(r)];
    batch.rows.lengths[r] = std::ssize(row);
    if (!row.empty()) batch.rows.ids[r].narrow(0, 0, std::ssize(row)).copy_(at::tensor(row));
  }
  return batch;
}

const std::vector<Rows> kDocuments = {
    {{3, 4, 5}, {6}, {7, 8}}, {{9, 3}}, {}, {{5, 5, 5, 5, 5}, {3}, {4, 6}, {7, 8, 9, 10}}};

TEST(DocumentEncoder, RowsByDocument) {
  const at::Tensor rows = at::arange(1, 9, at::kFloat).view({4, 2});
  const at::Tensor expected = at::tensor({1, 2, 3, 4, 5, 6,  //
                                          0, 0, 0, 0, 0, 0,  //
                                          7, 8, 0, 0, 0, 0},
                                         at::kFloat)
                                  .view({3, 3, 2});
  EXPECT_TRUE(at::equal(rows_by_document(rows, at::tensor({3, 0, 1}, at::kLong)), expected));
  EXPECT_THROW(rows_by_document(rows, at::tensor({3, 2}, at::kLong)), UsageError);
}

// Neither the padding behind words, nor that behind sentences, nor the other documents.
TEST(DocumentEncoder, EachDocumentIsThatOfItAlone) {
  for (const char* positions : {"sinusoidal", "learned", "rotary", "relative"}) {
    at::manual_seed(11);
    TextClassifier model(small_document_encoder(positions));
    model.eval();
    const at::Tensor together = model.forward(batch_of(kDocuments, 3));
    ASSERT_EQ(together.sizes(), (at::IntArrayRef{4, 3}));
    for (int64_t b = 0; b < 4; ++b) {
      const at::Tensor alone = model.forward(batch_of({kDocuments[static_cast<size_t>(b)]}));
      EXPECT_LT((alone[0] - together[b]).abs().max().item<double>(), 3e-6) << positions << b;
    }
  }
}

TEST(DocumentEncoder, OrderOfWordsAndOfSentencesMatters) {
  at::manual_seed(11);
  TextClassifier model(small_document_encoder("learned"));
  model.eval();
  const at::Tensor logits = model.forward(
      batch_of({{{3, 4, 5}, {6, 7}}, {{6, 7}, {3, 4, 5}}, {{5, 4, 3}, {6, 7}}, {{3, 4, 5, 6, 7}}}));
  for (int64_t b = 1; b < 4; ++b) {
    EXPECT_GT((logits[0] - logits[b]).abs().max().item<double>(), 1e-5) << b;
  }
}

TEST(DocumentEncoder, TraceHasTheWeightsOfWordsAndSentences) {
  at::manual_seed(11);
  TextClassifier model(small_document_encoder("learned"));
  model.eval();
  DocumentTrace trace;
  model.forward(batch_of(kDocuments), &trace);
  ASSERT_EQ(trace.token_weights.sizes(), (at::IntArrayRef{8, 5}));
  ASSERT_EQ(trace.sentence_weights.sizes(), (at::IntArrayRef{4, 4}));
  EXPECT_TRUE(at::allclose(trace.token_weights.sum(1), at::ones({8})));
  EXPECT_TRUE(at::allclose(trace.sentence_weights.sum(1), at::tensor({1, 1, 0, 1}, at::kFloat)));
  EXPECT_EQ(trace.sentence_weights[1][0].item<float>(), 1);
  ASSERT_EQ(trace.tokens.weights.size(), 1U);
  EXPECT_EQ(trace.tokens.weights[0].sizes(), (at::IntArrayRef{8, 4, 5, 5}));
}

TEST(DocumentEncoder, GradientsReachEveryParameter) {
  at::manual_seed(11);
  TextClassifier model(small_document_encoder("learned"));
  model.forward(batch_of(kDocuments)).pow(2).sum().backward();
  for (const auto& item : model.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<double>(), 0) << item.key();
  }
}

TEST(DocumentEncoder, RefusesOptionsThatCannotBe) {
  const auto refused = [](const auto& change) {
    TextClassifierOptions options = small_document_encoder("learned");
    change(options);
    EXPECT_THROW(TextClassifier{options}, UsageError);
  };
  refused([](auto& o) { o.documents = "chapters"; });
  refused([](auto& o) { o.max_sentences = 0; });
  refused([](auto& o) { o.num_sentence_layers = 0; });
}

}  // namespace
}  // namespace heed::models
