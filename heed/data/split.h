// Examples held back for validation where no file for it is given.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace heed::data {

// What a split looks at.
struct SplitKey {
  std::string kind;   // its class: each kind gives about the same share
  std::string group;  // examples of one group, such as the same text, stay together
};

// Which examples are held back: about `share` of those of each kind, drawn by `seed`, the same on
// every machine. Of a kind with one group none is; of several groups in all, one at least. Throws
// UsageError for a share outside [0, 1).
std::vector<bool> held_back(std::span<const SplitKey> keys, double share, uint64_t seed);

// Moves the examples that are held back out of `examples`.
template <typename Example>
std::vector<Example> take_held_back(std::vector<Example>& examples, const std::vector<bool>& held) {
  std::vector<Example> kept;
  std::vector<Example> taken;
  for (size_t i = 0; i < examples.size(); ++i) {
    (held[i] ? taken : kept).push_back(std::move(examples[i]));
  }
  examples = std::move(kept);
  return taken;
}

// "10 of 100 sentences are held back for validation …, seed 1": for DataReport::note.
std::string split_note(size_t held, size_t all, const char* what, uint64_t seed);

}  // namespace heed::data
