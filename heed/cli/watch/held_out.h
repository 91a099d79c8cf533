// Which held-out examples a run shows: a few, the same from beginning to end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed::cli {

inline constexpr size_t kShownExamples = 3;
inline constexpr size_t kLongestShown = 400;  // bytes, so that a picture of it can be read

struct HeldOut {
  std::vector<std::string> inputs = {};  // each as `heed attend MODEL INPUT` takes it
  // Options of `heed attend`, beside those that `heed train` was given under the same name.
  std::vector<std::pair<std::string, std::string>> options = {};
};

// Some of the examples, spread over them. `input_of`: what `heed attend` takes of one; those of
// which it is long are passed over.
template <typename Examples, typename InputOf>
HeldOut held_out(const Examples& examples, const InputOf& input_of) {
  HeldOut chosen;
  const size_t count = examples.size();
  size_t next = 0;  // behind the last that was taken
  for (size_t i = 0; i < kShownExamples; ++i) {
    for (next = std::max(next, i * count / kShownExamples); next < count; ++next) {
      std::string input = input_of(examples[next]);
      if (input.empty() || input.size() > kLongestShown) continue;
      chosen.inputs.push_back(std::move(input));
      ++next;
      break;
    }
  }
  return chosen;
}

// Pieces of a text that begin and end between words.
HeldOut held_out_pieces(std::string_view text);

}  // namespace heed::cli
