#include "heed/audio/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace heed::audio {
namespace {

// The definition, for lengths with large and with small factors.
TEST(Fourier, IsTheSumThatDefinesIt) {
  for (const size_t size : {1U, 2U, 7U, 60U, 97U, 128U, 400U}) {
    std::vector<double> a, b;
    for (size_t i = 0; i < size; ++i) {
      a.push_back(std::sin(1.0 + 0.7 * static_cast<double>(i * i % 31)));
      b.push_back(std::cos(0.3 * static_cast<double>(i * 5 % 17)));
    }
    Fourier fourier(size);
    std::vector<double> of_a(fourier.bins()), of_b(fourier.bins());
    fourier.powers(a.data(), b.data(), of_a.data(), of_b.data());
    for (const auto& [row, found] : {std::pair(a, of_a), std::pair(b, of_b)}) {
      for (size_t k = 0; k < fourier.bins(); ++k) {
        std::complex<double> sum = 0;
        for (size_t i = 0; i < size; ++i) {
          const double angle =
              -2 * std::numbers::pi * static_cast<double>(i * k % size) / static_cast<double>(size);
          sum += row[i] * std::polar(1.0, angle);
        }
        EXPECT_NEAR(found[k], std::norm(sum), 1e-9 * static_cast<double>(size * size));
      }
    }
  }
}

}  // namespace
}  // namespace heed::audio
