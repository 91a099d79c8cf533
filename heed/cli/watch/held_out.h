// Which held-out examples a run shows: a few, the same from beginning to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed::cli {

inline constexpr size_t kShownExamples = 3;
inline constexpr size_t kLongestShown = 400;  // bytes, so that a picture of it can be read

// Options of `heed attend`, beside those that `heed train` was given under the same name.
using AttendOptions = std::vector<std::pair<std::string, std::string>>;

// What goes with an input.
struct AboutInput {
  std::string name = {};       // shown in its place; empty: itself
  std::string right = {};      // what was right; empty: it is not shown
  AttendOptions options = {};  // for it alone
};

struct HeldOut {
  std::vector<std::string> inputs = {};  // each as `heed attend MODEL INPUT` takes it
  AttendOptions options = {};
  std::vector<AboutInput> about = {};  // the inputs, in order; may end before them
};

struct HeldOutExample {
  std::string input;
  AboutInput about = {};
};

// Some of so many examples, spread over them. `example_of`: one by its number; those whose input
// is empty or long are passed over.
HeldOut held_out_of(size_t count, const std::function<HeldOutExample(size_t)>& example_of);

// The same. `shown`: the HeldOutExample of one.
template <typename Examples, typename Shown>
HeldOut held_out(const Examples& examples, const Shown& shown) {
  return held_out_of(examples.size(), [&](size_t i) { return shown(examples[i]); });
}

// Pieces of a text that begin and end between words, and what stands behind each, for a model that
// reads so many tokens at once.
HeldOut held_out_pieces(std::string_view text, int64_t most_tokens);

}  // namespace heed::cli
