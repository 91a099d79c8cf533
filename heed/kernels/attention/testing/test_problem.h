// Random attention problems for the kernel tests: owns the arrays that a Problem points to.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "heed/kernels/attention/problem.h"

namespace heed::kernels::testing {

// Workers of its own threads.
class ThreadWorkers final : public Workers {
 public:
  explicit ThreadWorkers(int count) : count_(count) {}
  int count() const override { return count_; }
  void run(const std::function<void(int)>& body) const override {
    std::vector<std::thread> threads;
    for (int i = 1; i < count_; ++i) threads.emplace_back([&body, i] { body(i); });
    body(0);
    for (std::thread& thread : threads) thread.join();
  }

 private:
  int count_;
};

// Says it has several workers and runs them one after the other.
class SerialWorkers final : public Workers {
 public:
  explicit SerialWorkers(int count) : count_(count) {}
  int count() const override { return count_; }
  void run(const std::function<void(int)>& body) const override {
    for (int i = count_ - 1; i >= 0; --i) body(i);
  }

 private:
  int count_;
};

inline uint16_t half_of(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
inline float float_of(uint16_t half) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(half) << 16);
}

// An array of either dtype, (batch, heads, rows, size) with optional padding of each row.
struct TestArray {
  std::vector<float> floats;
  std::vector<uint16_t> halves;
  int64_t batch = 0, heads = 0, rows = 0, size = 0, stride = 0;
  bool rows_first = false;  // (B, N, H, D) in memory instead of (B, H, N, D)

  void fill(DataType type, std::mt19937& random, float scale) {
    std::normal_distribution<float> normal(0, scale);
    const size_t count = static_cast<size_t>(batch * heads * rows * stride);
    floats.resize(count);
    for (float& x : floats) x = normal(random);
    if (type == DataType::kFloat32) return;
    halves.resize(count);
    for (size_t i = 0; i < count; ++i) {
      halves[i] = half_of(floats[i]);
      floats[i] = float_of(halves[i]);
    }
  }
  const void* data() const {
    return halves.empty() ? static_cast<const void*>(floats.data()) : halves.data();
  }
  int64_t at(int64_t b, int64_t h, int64_t i, int64_t d) const {
    const ConstArray v = view();
    return b * v.batch + h * v.head + i * v.row + d;
  }
  void set(int64_t position, float x) {
    floats[static_cast<size_t>(position)] = x;
    if (!halves.empty()) {
      halves[static_cast<size_t>(position)] =
          static_cast<uint16_t>(__builtin_bit_cast(uint32_t, x) >> 16);
    }
  }
  ConstArray view() const {
    if (rows_first) return {data(), rows * heads * stride, stride, heads * stride};
    return {data(), heads * rows * stride, rows * stride, stride};
  }
};

struct TestOptions {
  Shape shape;
  DataType type = DataType::kFloat32;
  std::string score = "dot";
  float input_scale = 1;
  float score_scale = 0;  // 0: 1/√D
  int64_t row_padding = 0;
  bool rows_first = false;
  float softcap = 0;
  bool alibi = false;
  int64_t relative_reach = -1;  // −1: none
  bool relative_shared = false;
  bool dense = false;
  bool dense_batch = true, dense_head = true, dense_row = true;  // else broadcast
  DataType dense_type = DataType::kFloat32;
  PatternPtr pattern;
  float dropout = 0;
  uint64_t seed = 7;
  bool grad_lse = false;
};

// A problem, its gradients' inputs, and buffers for its results.
class TestProblem {
 public:
  explicit TestProblem(const TestOptions& o) : options(o) {
    std::mt19937 random(static_cast<uint32_t>(o.seed * 7919 + 13));
    const Shape& s = o.shape;
    make(query, s.heads, s.queries, s.size, o, random);
    make(key, s.key_heads, s.keys, s.size, o, random);
    make(value, s.key_heads, s.keys, s.value_size, o, random);
    make(grad_output, s.heads, s.queries, s.value_size, o, random);
    std::normal_distribution<float> normal;
    const auto some = [&](int64_t count) {
      std::vector<float> v(static_cast<size_t>(count));
      for (float& x : v) x = normal(random);
      return v;
    };
    parameter = some(s.heads * s.size);
    if (o.score == "cosine") {
      for (float& x : parameter) x = 4 + x;
    }
    slopes = some(s.heads);
    for (float& x : slopes) x *= 0.1F;
    table = some(s.heads * (2 * std::max<int64_t>(o.relative_reach, 0) + 1));
    grad_lse = some(s.batch * s.heads * s.queries);
    problem.shape = s;
    problem.type = o.type;
    problem.query = query.view();
    problem.key = key.view();
    problem.value = value.view();
    problem.score.name = options.score.c_str();
    problem.score.scale =
        o.score_scale != 0
            ? o.score_scale
            : (o.score == "dot" ? 1 / std::sqrt(static_cast<float>(std::max<int64_t>(s.size, 1)))
                                : 1);
    if (o.score != "dot") problem.score.parameter = parameter.data();
    problem.modifiers.softcap = o.softcap;
    if (o.alibi) problem.modifiers.alibi_slopes = slopes.data();
    if (o.relative_reach >= 0) {
      problem.modifiers.relative = {table.data(), o.relative_shared ? 0 : 2 * o.relative_reach + 1,
                                    o.relative_reach};
    }
    if (o.dense) make_dense(random);
    problem.pattern = o.pattern;
    problem.query_offset = s.keys - s.queries;
    problem.dropout = {o.dropout, o.seed};
  }

  void make_dense(std::mt19937& random) {
    const Shape& s = options.shape;
    dense.batch = options.dense_batch ? s.batch : 1;
    dense.heads = options.dense_head ? s.heads : 1;
    dense.rows = options.dense_row ? s.queries : 1;
    dense.size = dense.stride = s.keys;
    dense.fill(options.dense_type, random, 1);
    problem.modifiers.dense = {dense.data(), options.dense_type,
                               options.dense_batch ? dense.heads * dense.rows * s.keys : 0,
                               options.dense_head ? dense.rows * s.keys : 0,
                               options.dense_row ? s.keys : 0};
  }

  static void make(TestArray& a, int64_t heads, int64_t rows, int64_t size, const TestOptions& o,
                   std::mt19937& random) {
    a.batch = o.shape.batch;
    a.heads = heads;
    a.rows = rows;
    a.size = size;
    a.stride = size + o.row_padding;
    a.rows_first = o.rows_first;
    a.fill(o.type, random, o.input_scale);
  }

  // (B, heads, rows, size) contiguous floats of an array of the problem's layout.
  static std::vector<float> contiguous(const TestArray& a) {
    std::vector<float> out;
    for (int64_t b = 0; b < a.batch; ++b)
      for (int64_t h = 0; h < a.heads; ++h)
        for (int64_t i = 0; i < a.rows; ++i)
          for (int64_t d = 0; d < a.size; ++d)
            out.push_back(a.floats[static_cast<size_t>(a.at(b, h, i, d))]);
    return out;
  }

  TestOptions options;
  Problem problem;
  TestArray query, key, value, grad_output, dense;
  std::vector<float> parameter, slopes, table, grad_lse;
};

}  // namespace heed::kernels::testing
