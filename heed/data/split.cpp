#include "heed/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "heed/base/error.h"
#include "heed/data/shuffle.h"

namespace heed::data {
namespace {

using Group = std::vector<size_t>;  // examples

// The groups of each kind, in the order of their first examples.
std::map<std::string, std::vector<Group>> groups_of(std::span<const SplitKey> keys) {
  std::map<std::string, std::vector<Group>> kinds;
  std::map<std::string, std::pair<std::string, size_t>> known;  // group -> its kind and place
  for (size_t i = 0; i < keys.size(); ++i) {
    std::vector<Group>& groups = kinds[keys[i].kind];
    const auto [place, is_new] = known.try_emplace(keys[i].group, keys[i].kind, groups.size());
    if (is_new) groups.emplace_back();
    kinds[place->second.first][place->second.second].push_back(i);
  }
  return kinds;
}

}  // namespace

std::vector<bool> held_back(std::span<const SplitKey> keys, double share, uint64_t seed) {
  check_usage(share >= 0 && share < 1,
              "valid_share: expected a share from 0 up to but not including 1, got ", share);
  std::vector<bool> held(keys.size(), false);
  std::mt19937_64 random(seed);
  double owed = 0;  // what rounding left over from the kinds before
  size_t taken = 0;
  auto kinds = groups_of(keys);
  const std::vector<Group>* largest = nullptr;
  for (auto& [kind, groups] : kinds) {
    shuffle(groups, random);
    size_t examples = 0;
    for (const Group& group : groups) examples += group.size();
    owed += share * static_cast<double>(examples);
    for (size_t g = 0; g + 1 < groups.size() && owed >= 0.5; ++g) {
      for (const size_t i : groups[g]) held[i] = true;
      taken += groups[g].size();
      owed -= static_cast<double>(groups[g].size());
    }
    if (largest == nullptr || groups.size() > largest->size()) largest = &groups;
  }
  if (taken == 0 && share > 0 && largest != nullptr && largest->size() > 1) {
    for (const size_t i : largest->front()) held[i] = true;
  }
  return held;
}

std::string split_note(size_t held, size_t all, const char* what, uint64_t seed) {
  return text_of("no validation data given: ", held, " of ", all, " ", what,
                 " are held back for it, of each kind the same share (seed ", seed, ")");
}

}  // namespace heed::data
