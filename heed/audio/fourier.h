// The discrete Fourier transform of real numbers, of any length.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace heed::audio {

// Cooley and Tukey 1965, with the prime factors of the length as radices: lengths of small factors,
// such as 400, are fast ones. In double precision.
class Fourier {
 public:
  explicit Fourier(size_t size);  // at least 1

  size_t bins() const { return size_ / 2 + 1; }

  // |X|² of two real rows at once, each of `size` numbers -> bins() numbers. Changes what it keeps
  // between calls: one thread at a time.
  void powers(const double* first, const double* second, double* first_powers,
              double* second_powers);

 private:
  using Complex = std::complex<double>;
  // `radices`: the prime factors of `size`.
  void transform(const Complex* from, size_t stride, Complex* to, size_t size,
                 const size_t* radices);

  size_t size_;
  std::vector<size_t> radices_;  // prime factors of the size, ascending
  std::vector<Complex> turns_;   // e^(−2πi n / size)
  std::vector<Complex> input_, output_, column_;
};

}  // namespace heed::audio
