// Prints numbers the way docs/tutorial.md shows them.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

// "0.40", and never "-0.00".
inline std::string rounded(double value, int decimals = 2) {
  const double unit = std::pow(10, decimals);
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, std::round(value * unit) / unit + 0.0);
  return text;
}

// A vector in one line, a matrix in a line for each row, with names in front of the rows.
inline void show(const std::string& name, const at::Tensor& values,
                 const std::vector<std::string>& rows = {}, int decimals = 2) {
  std::cout << name << '\n';
  const at::Tensor matrix = values.detach().to(at::kDouble).reshape({-1, values.size(-1)});
  for (int64_t i = 0; i < matrix.size(0); ++i) {
    std::string line = rows.empty() ? "" : rows[static_cast<size_t>(i)];
    line.resize(rows.empty() ? 0 : 8, ' ');
    for (int64_t j = 0; j < matrix.size(1); ++j) {
      const std::string number = rounded(matrix[i][j].item<double>(), decimals);
      line += std::string(number.size() < 7 ? 7 - number.size() : 1, ' ') + number;
    }
    std::cout << line << '\n';
  }
}
