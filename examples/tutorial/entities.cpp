// Names in sentences: a score for each tag of each word, and a CRF that knows which tags may follow
// which.
#include <ATen/ATen.h>
#include <torch/nn/modules/container/sequential.h>

#include <iostream>

#include "heed/nn.h"
#include "heed/text/words/entity_tags.h"
#include "heed/training/optimizer.h"
#include "show.h"

int main() {
  using heed::text::TagScheme;
  const std::vector<std::string> types = {"LOC", "PER"};
  const std::vector<std::string> tags = heed::text::all_tags(types, TagScheme::kBio);
  for (const std::string& tag : tags) std::cout << tag << ' ';
  std::cout << '\n';

  // Six sentences of four words; each word is a number, each tag too.
  const std::vector<std::string> words = {"ada",  "lovelace", "visits", "new",   "york",
                                          "alan", "turing",   "leaves", "paris", "today"};
  const at::Tensor sentences =
      at::tensor({0, 1, 2, 8, 5, 6, 7, 8, 0, 2, 3, 4, 5, 7, 3, 4, 0, 1, 7, 9, 5, 6, 2, 9},
                 at::kLong)
          .view({6, 4});
  const at::Tensor targets =
      at::tensor({3, 4, 0, 1, 3, 4, 0, 1, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 0, 0, 3, 4, 0, 0},
                 at::kLong)
          .view({6, 4});

  at::manual_seed(1);
  namespace modules = heed::modules;
  torch::nn::Sequential scores(
      modules::Embedding({.num_embeddings = std::ssize(words), .embedding_dim = 16}),
      modules::SinusoidalPositions({.max_length = 4, .d_model = 16}),
      modules::EncoderLayer({.d_model = 16, .num_heads = 2, .d_ff = 32}),
      modules::Linear({.in = 16, .out = std::ssize(tags)}));
  heed::nn::Crf crf(tags, TagScheme::kBio);

  std::vector<at::Tensor> parameters = scores->parameters();
  for (const at::Tensor& parameter : crf.parameters()) parameters.push_back(parameter);
  heed::training::Optimizer optimizer(parameters, {.name = "adam"});
  for (int step = 1; step <= 60; ++step) {
    const at::Tensor loss = crf.loss(scores->forward(sentences), targets).mean();
    optimizer.zero_gradients();
    loss.backward();
    optimizer.step(0.01);
    if (step == 1 || step % 20 == 0) {
      std::cout << "step " << step << "  loss " << rounded(loss.item<double>()) << '\n';
    }
  }

  // "turing visits new york": no sentence began with "turing".
  const at::Tensor unseen = at::tensor({6, 2, 3, 4}, at::kLong).view({1, 4});
  const auto best = crf.best(scores->forward(unseen))[0];
  std::vector<std::string> found;
  for (size_t i = 0; i < best.size(); ++i) {
    found.push_back(tags[static_cast<size_t>(best[i])]);
    std::cout << words[static_cast<size_t>(unseen[0][static_cast<int64_t>(i)].item<int64_t>())]
              << ' ' << found.back() << '\n';
  }
  for (const heed::text::Entity& entity : heed::text::entities_of(found)) {
    std::cout << entity.type << ": words " << entity.begin << " to " << entity.end - 1 << '\n';
  }
}
