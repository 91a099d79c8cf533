// A picture of attention: who looks at whom. Takes the name of the file, .png or .svg.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/attention.h"
#include "heed/viz.h"
#include "show.h"

int main(int count, char** arguments) {
  const std::string file = count > 1 ? arguments[1] : "heat_map.svg";
  const std::vector<std::string> words = {"the", "cat", "sat", "on", "the", "mat"};
  at::manual_seed(1);
  at::Tensor x = at::randn({1, 1, 6, 8});
  x.select(2, 4).copy_(x.select(2, 0));  // both "the" are the same word
  const at::Tensor weights = heed::attention_weights(x, x).view({6, 6});

  const float* first = weights.const_data_ptr<float>();
  heed::write_heat_map({.title = "cosines of words",
                        .row_labels = words,
                        .column_labels = words,
                        .rows = 6,
                        .columns = 6,
                        .values = {first, first + 36}},
                       file);
  std::cout << "wrote " << file << '\n';
  // One row in the terminal: with colours where there are some.
  std::cout << heed::attention_text(words, {first, first + 6});
}
