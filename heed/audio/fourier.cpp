#include "heed/audio/fourier.h"

#include <cmath>
#include <numbers>

#include "heed/base/error.h"

namespace heed::audio {
namespace {

// Without the care for infinities that the product of the standard library takes.
std::complex<double> product(const std::complex<double>& a, const std::complex<double>& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

size_t smallest_factor(size_t number) {
  for (size_t factor = 2; factor * factor <= number; ++factor) {
    if (number % factor == 0) return factor;
  }
  return number;
}

}  // namespace

Fourier::Fourier(size_t size) : size_(size), input_(size), output_(size), column_(size) {
  check_usage(size >= 1, "Fourier transform: expected a length of at least 1, got 0");
  for (size_t left = size; left > 1; left /= radices_.back()) {
    radices_.push_back(smallest_factor(left));
  }
  for (size_t i = 0; i < size; ++i) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size);
    turns_.emplace_back(std::cos(angle), std::sin(angle));
  }
}

// `size` numbers of `from`, `stride` apart: a transform of every radix-th, then small ones across.
void Fourier::transform(const Complex* from, size_t stride, Complex* to, size_t size,
                        const size_t* radices) {
  if (size == 1) {
    *to = *from;
    return;
  }
  const size_t radix = *radices;
  const size_t part = size / radix;
  for (size_t r = 0; r < radix; ++r) {
    transform(from + r * stride, stride * radix, to + r * part, part, radices + 1);
  }
  const size_t step = size_ / size;         // turns_ of one step of this size
  const size_t radix_step = size_ / radix;  // of one step of a transform of `radix` numbers
  for (size_t k = 0; k < part; ++k) {
    for (size_t r = 0; r < radix; ++r) {
      column_[r] = product(to[r * part + k], turns_[r * k * step]);
    }
    for (size_t q = 0; q < radix; ++q) {
      Complex sum = column_[0];
      size_t turn = 0;  // r · q modulo radix
      for (size_t r = 1; r < radix; ++r) {
        turn += q;
        if (turn >= radix) turn -= radix;
        sum += product(column_[r], turns_[turn * radix_step]);
      }
      to[q * part + k] = sum;
    }
  }
}

// One complex transform has both: X(k) of the first is the even part, of the second the odd one.
void Fourier::powers(const double* first, const double* second, double* first_powers,
                     double* second_powers) {
  for (size_t i = 0; i < size_; ++i) input_[i] = {first[i], second[i]};
  transform(input_.data(), 1, output_.data(), size_, radices_.data());
  for (size_t k = 0; k < bins(); ++k) {
    const Complex here = output_[k];
    const Complex mirrored = std::conj(output_[(size_ - k) % size_]);
    first_powers[k] = std::norm((here + mirrored) * 0.5);
    second_powers[k] = std::norm((here - mirrored) * 0.5);
  }
}

}  // namespace heed::audio
