// How well scores agree with judgements, and what was looked for stands on top of a list.
#pragma once

#include <cstdint>
#include <span>

namespace heed::metrics {

// The correlation of the ranks of two rows of numbers, from −1 to 1; equal ones share the mean of
// their ranks. 0 where one of the rows is the same number throughout, or shorter than two.
//                                                                             Spearman 1904
double spearman(std::span<const double> a, std::span<const double> b);

// Normalised discounted cumulative gain: gains of a list from its top, over those of the best order
// of the same items, each divided by log2(place + 1), over the first k. 0 where nothing gains.
//                                                             Järvelin and Kekäläinen 2002
double ndcg(std::span<const double> gains, int64_t k);

}  // namespace heed::metrics
