// An order drawn by a seed.
#pragma once

#include <cstddef>
#include <random>
#include <utility>
#include <vector>

namespace heed::data {

// std::shuffle differs between standard libraries; this does not.
template <typename T>
void shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
}

}  // namespace heed::data
