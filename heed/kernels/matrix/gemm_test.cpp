#include "heed/kernels/matrix/gemm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "heed/kernels/vector/isa.h"

namespace heed::kernels {
namespace {

// Threads of its own, so that this folder's tests need no torch.
class Threads final : public Workers {
 public:
  explicit Threads(int count) : count_(count) {}
  int count() const override { return count_; }
  void run(const std::function<void(int)>& body) const override {
    std::vector<std::thread> threads;
    for (int i = 1; i < count_; ++i) threads.emplace_back(body, i);
    body(0);
    for (auto& thread : threads) thread.join();
  }

 private:
  int count_;
};

void for_each_isa(const std::function<void()>& body) {
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (!is_available(isa)) continue;
    SCOPED_TRACE(name_of(isa));
    const IsaForTest forced(isa);
    body();
  }
}

struct Shape {
  int64_t rows = 0;
  int64_t depth = 0;
  int64_t columns = 0;
};

std::vector<float> random_floats(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = normal(random);
  return v;
}

// A (rows, columns) matrix, its rows or its columns contiguous, with `gap` elements in between.
ConstMatrix matrix(const std::vector<float>& data, int64_t rows, int64_t columns, bool transposed,
                   int64_t gap = 0) {
  ConstMatrix m{.data = data.data(), .rows = rows, .columns = columns};
  m.row_stride = transposed ? 1 : columns + gap;
  m.column_stride = transposed ? rows + gap : 1;
  return m;
}

float at(const ConstMatrix& m, int64_t i, int64_t j) {
  const int64_t place = i * m.row_stride + j * m.column_stride;
  if (m.type == DataType::kFloat32) return static_cast<const float*>(m.data)[place];
  return std::bit_cast<float>(uint32_t{static_cast<const uint16_t*>(m.data)[place]} << 16);
}

// The upper halves: bfloat16 numbers.
std::vector<uint16_t> halves_of(const std::vector<float>& data) {
  std::vector<uint16_t> halves;
  for (const float x : data) {
    halves.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16));
  }
  return halves;
}

void expect_product(const std::vector<float>& got, const ConstMatrix& a, const ConstMatrix& b) {
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < b.columns; ++j) {
      double want = 0, size = 0;
      for (int64_t k = 0; k < a.columns; ++k) {
        const double term = static_cast<double>(at(a, i, k)) * at(b, k, j);
        want += term;
        size += std::abs(term);
      }
      // The bound of a sum in any order: Higham 2002, eq. 3.5.
      const double bound = static_cast<double>(a.columns) * 0x1p-23 * size;
      ASSERT_NEAR(got[static_cast<size_t>(i * b.columns + j)], want, bound) << i << ", " << j;
    }
  }
}

TEST(Gemm, MultipliesEveryLayout) {
  for_each_isa([] {
    for (const Shape& s :
         {Shape{1, 1, 1}, Shape{13, 5, 33}, Shape{25, 300, 70}, Shape{97, 17, 7}, Shape{6, 0, 4}}) {
      const auto x = random_floats((s.rows + 5) * (s.depth + 5), 1);
      const auto y = random_floats((s.depth + 5) * (s.columns + 5), 2);
      for (int layout = 0; layout < 4; ++layout) {
        const ConstMatrix a = matrix(x, s.rows, s.depth, (layout & 1) != 0, 3);
        const ConstMatrix b = matrix(y, s.depth, s.columns, (layout & 2) != 0, 5);
        const OneWorker alone;
        const PackedMatrix packed(b, DataType::kFloat32, alone);
        std::vector<float> c(static_cast<size_t>(s.rows * s.columns), NAN);
        gemm({.a = a, .packed = &packed, .c = {c.data(), DataType::kFloat32, s.columns}}, alone);
        expect_product(c, a, b);
      }
    }
  });
}

TEST(Gemm, SumsTheRowsOfAColumnMajorMatrix) {
  for_each_isa([] {
    const Shape s{29, 270, 40};
    const auto x = random_floats(s.rows * s.depth, 1);
    const auto y = random_floats(s.depth * s.columns, 2);
    const ConstMatrix a = matrix(x, s.rows, s.depth, true);
    const OneWorker alone;
    const PackedMatrix packed(matrix(y, s.depth, s.columns, false), DataType::kFloat32, alone);
    std::vector<float> c(static_cast<size_t>(s.rows * s.columns)), sums(29, NAN);
    gemm({.a = a,
          .packed = &packed,
          .c = {c.data(), DataType::kFloat32, s.columns},
          .row_sums = sums.data()},
         alone);
    for (int64_t i = 0; i < s.rows; ++i) {
      double want = 0;
      for (int64_t k = 0; k < s.depth; ++k) want += at(a, i, k);
      EXPECT_NEAR(sums[static_cast<size_t>(i)], want, 1e-4) << i;
    }
  });
}

TEST(Gemm, WritesNothingBesideC) {
  for_each_isa([] {
    for (const int64_t columns : {1, 7, 8, 15, 16, 31, 33}) {
      const auto x = random_floats(13 * 9, 1);
      const auto y = random_floats(9 * columns, 2);
      const OneWorker alone;
      const PackedMatrix packed(matrix(y, 9, columns, false), DataType::kFloat32, alone);
      std::vector<float> c(static_cast<size_t>(13 * (columns + 4)), 77.0F);
      gemm({.a = matrix(x, 13, 9, false),
            .packed = &packed,
            .c = {c.data(), DataType::kFloat32, columns + 4}},
           alone);
      for (int64_t i = 0; i < 13; ++i) {
        for (int64_t j = columns; j < columns + 4; ++j) {
          ASSERT_EQ(c[static_cast<size_t>(i * (columns + 4) + j)], 77.0F);
        }
      }
    }
  });
}

void expect_same_for_any_workers(const Shape& s) {
  const auto x = random_floats(s.rows * s.depth, 1);
  const auto y = random_floats(s.depth * s.columns, 2);
  std::vector<std::vector<float>> results;
  for (const int workers : {1, 2, 3, 4, 7}) {
    const Threads threads(workers);
    const PackedMatrix packed(matrix(y, s.depth, s.columns, true), DataType::kFloat32, threads);
    std::vector<float>& c = results.emplace_back(static_cast<size_t>(s.rows * s.columns));
    gemm({.a = matrix(x, s.rows, s.depth, true),
          .packed = &packed,
          .c = {c.data(), DataType::kFloat32, s.columns}},
         threads);
    EXPECT_EQ(c, results.front()) << workers << " workers, depth " << s.depth;
  }
}

TEST(Gemm, DoesNotDependOnTheWorkers) {
  for_each_isa([] {
    expect_same_for_any_workers({230, 700, 300});
    expect_same_for_any_workers({100, 16500, 20});  // cut into fewer tiles
  });
}

TEST(Gemm, GivesARowTheSameBitsAmongFewAndMany) {
  for_each_isa([] {
    for (const int64_t depth : {1024, 700}) {  // rows a multiple of a page apart, and not
      const int64_t rows = 110, columns = 70;
      const auto x = random_floats(rows * depth, 1);
      const auto y = random_floats(depth * columns, 2);
      for (const DataType operand : {DataType::kFloat32, DataType::kBFloat16}) {
        const OneWorker alone;
        const PackedMatrix packed(matrix(y, depth, columns, false), operand, alone);
        const auto product = [&](int64_t count) {
          std::vector<float> c(static_cast<size_t>(count * columns));
          gemm({.a = matrix(x, count, depth, false),
                .packed = &packed,
                .c = {c.data(), DataType::kFloat32, columns}},
               Threads(3));
          return c;
        };
        const std::vector<float> all = product(rows);
        for (const int64_t count : {1, 5, 12, 31, 36, 37}) {
          const std::vector<float> some = product(count);
          EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count << " rows";
        }
      }
    }
  });
}

// x · wᵀ by few_rows(), with gaps between the rows of both.
void expect_few_rows(const Shape& s, DataType type) {
  const auto x = random_floats(s.rows * (s.depth + 3), 1);
  const auto w = random_floats(s.columns * (s.depth + 5), 2);
  const auto x_halves = halves_of(x), w_halves = halves_of(w);
  ConstMatrix a = matrix(x, s.rows, s.depth, false, 3);
  ConstMatrix weight = matrix(w, s.columns, s.depth, false, 5);
  if (type == DataType::kBFloat16) {
    a.data = x_halves.data();
    weight.data = w_halves.data();
    a.type = weight.type = type;
  }
  const auto product = [&](const ConstMatrix& rows) {
    std::vector<float> c(static_cast<size_t>(rows.rows * s.columns));
    few_rows({.a = rows, .weight = weight, .c = {c.data(), DataType::kFloat32, s.columns}},
             Threads(2));
    return c;
  };
  const std::vector<float> all = product(a);
  expect_product(all, a, weight.transposed());
  ConstMatrix first = a;
  for (first.rows = 1; first.rows < s.rows; ++first.rows) {
    const std::vector<float> some = product(first);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << first.rows << " rows";
  }
}

TEST(Gemm, MultipliesFewRowsUnpacked) {
  for_each_isa([] {
    for (const Shape& s : {Shape{1, 1, 1}, Shape{1, 300, 70}, Shape{2, 33, 9}, Shape{3, 64, 17},
                           Shape{4, 130, 65}, Shape{4, 257, 20}}) {
      for (const DataType type : {DataType::kFloat32, DataType::kBFloat16})
        expect_few_rows(s, type);
    }
  });
}

}  // namespace
}  // namespace heed::kernels
