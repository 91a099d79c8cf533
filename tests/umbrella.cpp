// A program that includes everything with one header, and calls something of each part. How long
// it takes to compile stands in docs/cpp.md.
#include "heed/heed.h"

#include <ATen/ATen.h>

#include <iostream>

int main() {
  at::manual_seed(1);
  const at::Tensor x = at::randn({1, 4, 8, 16});
  std::cout << heed::version() << ' ' << heed::granted_cpus().count << '\n'
            << heed::attention(x, x, x, {.pattern = heed::Pattern::causal()}).output.sizes() << '\n'
            << heed::nn::Encoder(1, {.d_model = 16, .num_heads = 2, .d_ff = 32})
                   .forward(x.select(0, 0))
                   .sizes()
            << '\n';

  const std::vector<std::string> texts = {"two dogs run", "a dog sleeps"};
  const heed::text::Tokenizer tokenizer = heed::text::build_word_level(texts);
  std::cout << tokenizer.size() << ' '
            << heed::parse_json("[1, 2]", "here", {.max_bytes = 100}).array_size() << '\n';

  const at::Tensor table = at::randn({5, 5});
  heed::inference::LogitsDecoder decoder(
      [&](const at::Tensor& ids) { return table.index_select(0, ids.select(1, -1)); });
  heed::inference::GenerateOptions generate;
  generate.max_new_tokens = 3;
  std::cout << heed::inference::generate(decoder, {1}, generate)[0].ids.size() << '\n';

  heed::models::LanguageModel model(
      {.vocab_size = 9,
       .transformer = {.d_model = 16, .num_heads = 2, .num_layers = 1, .d_ff = 32}});
  heed::training::Optimizer optimizer(model.parameters(), {.name = "adam"});
  heed::cross_entropy(model.forward(at::randint(9, {2, 5})), at::randint(9, {2, 5})).backward();
  optimizer.step(0.01);

  heed::metrics::ConfusionMatrix confusion(2);
  confusion.add(0, 0);
  std::cout << confusion.accuracy() << ' ' << heed::data::by_length({3, 1, 2}, 2).size() << '\n';
  try {
    heed::models::load_text_classifier("/nowhere");
  } catch (const heed::MissingInputError& error) {
    std::cout << error.what() << '\n';
  }
  std::cout << heed::attention_text({"two", "dogs"}, {0.25F, 0.75F});
}
