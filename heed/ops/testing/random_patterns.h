// For tests: the patterns of random cases, each with the sentence that says which pairs it allows.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "heed/ops/testing/random_cases.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {

struct PatternAndMask {
  Pattern pattern;
  at::Tensor mask;
};

// The sentence that says which pairs are allowed, of the kinds that need no tensor.
struct Sentences {
  const RandomCase& c;
  int64_t queries = c[kQueries], keys = c[kKeys], shift = keys - queries;
  std::vector<int64_t> sizes{c[kBatch], c.heads(), queries, keys};

  template <typename Allowed>
  at::Tensor where(const Allowed& allowed) const {
    return mask_by_pairs(sizes,
                         [&](int64_t, int64_t, int64_t i, int64_t j) { return allowed(i, j); });
  }
  template <typename Allowed>
  PatternAndMask as_mask(const Allowed& allowed) const {
    const at::Tensor mask = where(allowed);
    return {Pattern::from_mask(mask[0][0]), mask};
  }

  PatternAndMask window() const {
    const int64_t left = c[kA] % 200, right = c[kB] % 200;
    return {Pattern::window({.left = left, .right = right}), where([&](int64_t i, int64_t j) {
              return j - (i + shift) >= -left && j - (i + shift) <= right;
            })};
  }
  PatternAndMask dilated() const {
    const int64_t left = c[kA] % 20, right = c[kB] % 20, step = 1 + c[kC] % 7;
    return {Pattern::dilated({.left = left, .right = right, .dilation = step}),
            where([&](int64_t i, int64_t j) {
              const int64_t d = j - (i + shift);
              return d % step == 0 && d >= -left * step && d <= right * step;
            })};
  }
  PatternAndMask global_or_window() const {
    const int64_t count = c[kA] % 5, left = c[kB] % 50, right = c[kC] % 50;
    return {Pattern::global_tokens(count) | Pattern::window({.left = left, .right = right}),
            where([&](int64_t i, int64_t j) {
              const int64_t p = i + shift;
              return j < count || p < count || (j - p >= -left && j - p <= right);
            })};
  }
  PatternAndMask prefix() const {
    const int64_t length = c[kA] % (keys + 1);
    return {Pattern::prefix_lm(longs({length})),
            where([&](int64_t i, int64_t j) { return j < length || j <= i + shift; })};
  }
  PatternAndMask padded() const {
    std::vector<int64_t> lengths;
    for (int64_t b = 0; b < c[kBatch]; ++b) lengths.push_back((c[kA] + b * c[kB]) % (keys + 1));
    return {Pattern::padded({.key = longs(lengths)}),
            mask_by_pairs(sizes, [&](int64_t b, int64_t, int64_t, int64_t j) {
              return j < lengths[static_cast<size_t>(b)];
            })};
  }
  PatternAndMask packed() const {
    const auto cuts = [&](int64_t length) {
      std::vector<int64_t> all = {0, c[kA] % (length + 1), c[kB] % (length + 1),
                                  c[kC] % (length + 1)};
      std::sort(all.begin(), all.end());
      return all;
    };
    const auto of_queries = cuts(queries), of_keys = cuts(keys);
    const auto sequence = [](const std::vector<int64_t>& all, int64_t at) {
      for (size_t s = 1; s < all.size(); ++s) {
        if (at < all[s]) return static_cast<int64_t>(s);
      }
      return int64_t{-1};
    };
    return {Pattern::packed({.query = longs(of_queries), .key = longs(of_keys)}),
            where([&](int64_t i, int64_t j) {
              const int64_t mine = sequence(of_queries, i);
              return mine >= 0 && mine == sequence(of_keys, j);
            })};
  }
  PatternAndMask block_sparse() const {
    const int64_t rows = 1 + c[kA] % 200, columns = 1 + c[kB] % 200;
    const at::Tensor table =
        at::rand({c[kBatch], 1, (queries + rows - 1) / rows, (keys + columns - 1) / columns}) < 0.5;
    return {Pattern::block_sparse({.allowed = table, .query_block = rows, .key_block = columns}),
            mask_by_pairs(sizes, [&](int64_t b, int64_t, int64_t i, int64_t j) {
              return table[b][0][i / rows][j / columns].item<bool>();
            })};
  }
  PatternAndMask random_mask() const {
    const at::Tensor mask = at::rand(sizes) < static_cast<double>(c[kA] % 100) / 100;
    return {Pattern::from_mask(mask), mask};
  }
  PatternAndMask graph() const {
    const at::Tensor edges = at::rand({queries, keys}) < static_cast<double>(c[kA] % 50) / 100;
    return {Pattern::graph({.offsets = at::cat({longs({0}), edges.sum(1).cumsum(0)}),
                            .columns = edges.nonzero().select(1, 1).contiguous()}),
            edges.expand(sizes)};
  }

  PatternAndMask made() const {
    switch (c[kPatternKind]) {
      case 1:
        return {Pattern::causal(), where([&](int64_t i, int64_t j) { return j <= i + shift; })};
      case 2:
        return {Pattern::causal(Alignment::kTopLeft),
                where([&](int64_t i, int64_t j) { return j <= i; })};
      case 3:
        return window();
      case 4:
        return dilated();
      case 5:  // no pair that is near
        return as_mask([&](int64_t i, int64_t j) { return std::abs(i - j) > c[kA]; });
      case 6:
        return random_mask();
      case 7:
        return block_sparse();
      case 8:
        return graph();
      case 9:
        return padded();
      case 10:
        return packed();
      case 11:
        return global_or_window();
      case 12:
        return prefix();
      case 13:  // what lies far ahead
        return as_mask([&](int64_t i, int64_t j) { return j - i >= c[kA] % 300; });
      default:
        return {};
    }
  }
};

}  // namespace heed::conformance
