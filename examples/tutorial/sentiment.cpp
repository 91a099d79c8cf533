// Learning to tell praise from blame: words, a layer of attention, the mean of the real tokens, two
// classes.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/models/parts/text_batch.h"
#include "heed/nn.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/training/optimizer.h"
#include "show.h"

namespace {

class Classifier : public torch::nn::Module {
 public:
  explicit Classifier(int64_t words) {
    embedding =
        register_module("embedding", Embedding({.num_embeddings = words, .embedding_dim = 16}));
    positions = register_module("positions", Positions({.max_length = 16, .d_model = 16}));
    layer = register_module("layer", Layer({.d_model = 16, .num_heads = 2, .d_ff = 32}));
    output = register_module("output", Linear({.in = 16, .out = 2}));
  }

  at::Tensor forward(const heed::models::TextBatch& batch) const {
    const at::Tensor& lengths = batch.lengths;
    const at::Tensor x = layer(positions(embedding(batch.ids)),
                               heed::Pattern::padded({.key = lengths, .query = lengths}));
    return output(heed::nn::mean_over_tokens(x, lengths));
  }

 private:
  using Embedding = heed::modules::Embedding;
  using Positions = heed::modules::SinusoidalPositions;
  using Layer = heed::modules::EncoderLayer;
  using Linear = heed::modules::Linear;
  Embedding embedding = nullptr;
  Positions positions = nullptr;
  Layer layer = nullptr;
  Linear output = nullptr;
};

heed::models::TextBatch batch_of(const std::vector<std::string>& texts,
                                 const heed::text::Tokenizer& tokenizer) {
  std::vector<std::vector<int32_t>> rows;
  for (const std::string& text : texts) rows.push_back(tokenizer.encode_ids(text));
  heed::models::IdRows pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  return heed::models::text_batch(pointers, tokenizer.padding_id().value());
}

}  // namespace

int main() {
  const std::vector<std::string> texts = {"a wonderful film",
                                          "a lovely and funny story",
                                          "great acting and a great plot",
                                          "not a bad film",
                                          "a terrible film",
                                          "a boring and sad story",
                                          "bad acting and a bad plot",
                                          "not a great film"};
  const at::Tensor labels = at::tensor({1, 1, 1, 1, 0, 0, 0, 0}, at::kLong);
  const heed::text::Tokenizer tokenizer = heed::text::build_word_level(texts);
  const heed::models::TextBatch batch = batch_of(texts, tokenizer);
  std::cout << "a batch of " << batch.ids.sizes() << " ids; real ones:";
  for (int64_t b = 0; b < batch.lengths.size(0); ++b)
    std::cout << ' ' << batch.lengths[b].item<int64_t>();
  std::cout << '\n';

  at::manual_seed(1);
  Classifier model(tokenizer.size());
  heed::training::Optimizer optimizer(model.parameters(), {.name = "adam"});
  for (int step = 1; step <= 60; ++step) {
    const at::Tensor loss = heed::cross_entropy(model.forward(batch), labels);
    optimizer.zero_gradients();
    loss.backward();
    optimizer.step(0.01);
    if (step == 1 || step % 20 == 0) {
      std::cout << "step " << step << "  loss " << rounded(loss.item<double>()) << '\n';
    }
  }

  const std::vector<std::string> unseen = {"a wonderful plot", "a boring film", "a sad plot"};
  const at::Tensor praise = model.forward(batch_of(unseen, tokenizer)).softmax(-1).select(1, 1);
  for (size_t i = 0; i < unseen.size(); ++i) {
    const bool likes = praise[static_cast<int64_t>(i)].item<double>() > 0.5;
    std::cout << (likes ? "praise  " : "blame   ") << unseen[i] << '\n';
  }
}
