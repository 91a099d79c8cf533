// Which word comes next: temperature makes bold or careful, beam search looks further than one
// step.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/inference.h"
#include "show.h"

namespace {

const std::vector<std::string> kWords = {"<end>", "the", "a", "dog", "nice", "house"};

void print(const std::vector<int64_t>& ids) {
  for (const int64_t id : ids) std::cout << kWords[static_cast<size_t>(id)] << ' ';
}

}  // namespace

int main() {
  // A model by hand: the probability of each word behind each other one.
  at::Tensor table = at::full({6, 6}, 0.01);
  const auto say = [&](int64_t before, int64_t next, double probability) {
    table[before][next] = probability;
  };
  say(1, 4, 0.5), say(1, 3, 0.45);  // the nice … 0.5, the dog … 0.45
  say(4, 5, 0.35), say(4, 3, 0.3), say(4, 2, 0.3);
  say(3, 0, 0.9), say(5, 0, 0.9), say(2, 3, 0.9);
  const at::Tensor logits = (table / table.sum(-1, true)).log();
  // Any function of ids that gives logits is a decoder.
  heed::inference::LogitsDecoder decoder([&](const at::Tensor& ids) {
    return logits.index_select(0, ids.flatten()).view({ids.size(0), ids.size(1), 6});
  });

  for (const double temperature : {0.5, 1.0, 2.0}) {
    show("behind \"the\", temperature " + rounded(temperature, 1) + ": <end> the a dog nice house",
         (logits[1] / temperature).softmax(-1));
  }
  heed::inference::GenerateOptions options;
  options.eos_token_ids = {0};
  options.max_new_tokens = 6;
  options.num_return_sequences = 3;
  for (const auto& sample : heed::inference::generate(decoder, {1}, options)) {
    std::cout << "a sample: the ";
    print(sample.ids);
    std::cout << '\n';
  }

  options.num_return_sequences = 1;
  options.sampling.temperature = 0;
  std::cout << "greedy: the ";
  print(heed::inference::generate(decoder, {1}, options)[0].ids);
  std::cout << '\n';
  const auto best = heed::inference::beam_search(decoder, at::tensor({1}, at::kLong).view({1, 1}),
                                                 {.num_beams = 3,
                                                  .length_penalty = 0,
                                                  .max_new_tokens = 6,
                                                  .num_return_sequences = 3,
                                                  .eos_token_ids = {0}});
  for (const auto& hypothesis : best[0]) {
    std::cout << "beam search, probability " << rounded(std::exp(hypothesis.log_probability))
              << ": the ";
    print(hypothesis.ids);
    std::cout << '\n';
  }
}
