// Runs one engine on a TestProblem with every instruction set that this machine has, against the
// plain loops of reference.h: the error to double precision may be twice that of plain float32.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/testing/reference.h"
#include "heed/kernels/attention/testing/test_problem.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/vector/scratch.h"

namespace heed::kernels::testing {

struct EngineFunctions {
  void (*forward)(const Problem&, const ForwardResult&, const Workers&) = nullptr;
  void (*backward)(const Problem&, const BackwardArgs&, const Workers&) = nullptr;  // or null
};

// What an engine wrote, as float32 in the order of reference::Result.
struct EngineRun {
  std::vector<std::pair<std::string, std::vector<float>>> parts;

  bool operator==(const EngineRun& other) const {
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::vector<float>& mine = parts[i].second;
      const std::vector<float>& theirs = other.parts[i].second;
      if (!std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(), [](float a, float b) {
            return __builtin_bit_cast(uint32_t, a) == __builtin_bit_cast(uint32_t, b);
          })) {
        return false;
      }
    }
    return true;
  }
};

// An array of the layout of `like`, filled with a number that no result should leave there.
class ResultArray {
 public:
  ResultArray(const TestProblem& t, int64_t heads, int64_t rows, int64_t size) {
    array_.batch = t.options.shape.batch;
    array_.heads = heads;
    array_.rows = rows;
    array_.size = array_.stride = size;
    array_.rows_first = t.options.rows_first;
    array_.floats.assign(static_cast<size_t>(array_.batch * heads * rows * size), -77.0F);
    if (t.options.type == DataType::kBFloat16) array_.halves.assign(array_.floats.size(), 0xc29a);
  }
  ConstArray view() const { return array_.view(); }
  MutableArray to_write() {
    const ConstArray v = array_.view();
    return {const_cast<void*>(v.data), v.batch, v.head, v.row};
  }
  std::vector<float> contiguous() {
    for (size_t i = 0; i < array_.halves.size(); ++i) {
      array_.floats[i] = float_of(array_.halves[i]);
    }
    return TestProblem::contiguous(array_);
  }

 private:
  TestArray array_;
};

inline EngineRun run_engine(const EngineFunctions& engine, const TestProblem& t,
                            const Workers& workers) {
  const Shape& s = t.options.shape;
  const Problem& p = t.problem;
  ResultArray output(t, s.heads, s.queries, s.value_size);
  std::vector<float> lse(static_cast<size_t>(s.batch * s.heads * s.queries), -77.0F);
  std::vector<float> lse_rest(lse.size(), 0.0F);
  engine.forward(p, {output.to_write(), lse.data(), lse_rest.data()}, workers);
  EXPECT_NO_THROW(thread_scratch().check());
  EngineRun run;
  run.parts = {{"output", output.contiguous()}, {"log_sum_exp", lse}};
  if (!engine.backward) return run;

  ResultArray query(t, s.heads, s.queries, s.size);
  ResultArray key(t, s.key_heads, s.keys, s.size);
  ResultArray value(t, s.key_heads, s.keys, s.value_size);
  const auto sized = [](int64_t count) {
    return std::vector<float>(static_cast<size_t>(count), -77.0F);
  };
  const Modifiers& m = p.modifiers;
  auto parameter = sized(s.heads * (t.options.score == "additive" ? s.size : 1));
  auto slopes = sized(s.heads);
  auto table = sized((m.relative.head == 0 ? 1 : s.heads) * (2 * m.relative.reach + 1));
  auto dense = sized(static_cast<int64_t>(t.dense.floats.size()));
  BackwardArgs args;
  args.output = output.view();
  args.log_sum_exp = lse.data();
  args.log_sum_exp_rest = lse_rest.data();
  args.grad_output = t.grad_output.view();
  if (t.options.grad_lse) args.grad_log_sum_exp = t.grad_lse.data();
  args.grad_query = query.to_write();
  args.grad_key = key.to_write();
  args.grad_value = value.to_write();
  if (p.score.parameter) args.grad_parameter = parameter.data();
  if (m.alibi_slopes) args.grad_alibi_slopes = slopes.data();
  if (m.relative.table) args.grad_relative_table = table.data();
  if (m.dense.data) args.grad_dense = dense.data();
  engine.backward(p, args, workers);
  EXPECT_NO_THROW(thread_scratch().check());
  run.parts.emplace_back("grad_query", query.contiguous());
  run.parts.emplace_back("grad_key", key.contiguous());
  run.parts.emplace_back("grad_value", value.contiguous());
  if (p.score.parameter) run.parts.emplace_back("grad_parameter", parameter);
  if (m.alibi_slopes) run.parts.emplace_back("grad_alibi_slopes", slopes);
  if (m.relative.table) run.parts.emplace_back("grad_relative_table", table);
  if (m.dense.data) run.parts.emplace_back("grad_dense", dense);
  return run;
}

template <typename Real>
std::vector<Real> part_of(const reference::Result<Real>& r, const std::string& name) {
  if (name == "output") return r.output;
  if (name == "log_sum_exp") return r.log_sum_exp;
  if (name == "grad_query") return r.grad_query;
  if (name == "grad_key") return r.grad_key;
  if (name == "grad_value") return r.grad_value;
  if (name == "grad_parameter") return r.grad_parameter;
  if (name == "grad_alibi_slopes") return r.grad_alibi_slopes;
  if (name == "grad_relative_table") return r.grad_relative_table;
  return r.grad_dense;
}

template <typename Real>
double largest_error(const std::vector<Real>& values, const std::vector<double>& truth) {
  double error = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto x = static_cast<double>(values[i]);
    if (x == truth[i] || (std::isnan(x) && std::isnan(truth[i]))) continue;
    if (!std::isfinite(x) || !std::isfinite(truth[i])) return INFINITY;
    error = std::max(error, std::abs(x - truth[i]));
  }
  return error;
}

// Whether a part may be of the problem's dtype, so that plain arithmetic would round it.
inline bool is_rounded(const std::string& name) {
  return name == "output" || name == "grad_query" || name == "grad_key" || name == "grad_value";
}

inline void expect_as_exact_as_plain(const EngineRun& run, const TestProblem& t,
                                     const reference::Result<double>& truth,
                                     const reference::Result<double>& sizes,
                                     const reference::Result<float>& plain) {
  for (const auto& [name, values] : run.parts) {
    const std::vector<double> exact = part_of(truth, name);
    if (exact.empty()) {  // the plain loops take no gradient of an empty output
      for (const float x : values) EXPECT_EQ(x, 0) << name;
      continue;
    }
    ASSERT_EQ(values.size(), exact.size()) << name;
    std::vector<float> same_type = part_of(plain, name);
    const bool half = t.options.type == DataType::kBFloat16;
    if (half && is_rounded(name)) {
      for (float& x : same_type) x = float_of(half_of(x));
    }
    // Plain arithmetic may be exact by luck where there are few numbers or all terms cancel; one
    // unit in the last place of the terms is always allowed. With bfloat16 the backward reads a
    // rounded output.
    double largest = 0;
    for (double x : part_of(sizes, name)) largest = std::max(largest, std::isfinite(x) ? x : 0.0);
    const double unit = largest * (half ? std::ldexp(1.0, -8) : std::ldexp(1.0, -22));
    EXPECT_LE(largest_error(values, exact), 2 * largest_error(same_type, exact) + unit) << name;
  }
}

// Without kAmx, which is another only for tiles that brgemm takes: see brgemm_test.cpp.
inline std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (is_available(isa) && isa != Isa::kAmx) isas.push_back(isa);
  }
  return isas;
}

// The instruction sets against the plain loops, and 2, 3, 4 and 7 threads against one.
inline void check_engine(const EngineFunctions& engine, const TestOptions& options,
                         const std::vector<Isa>& isas = available_isas()) {
  const TestProblem t(options);
  const std::vector<float> grad_output = TestProblem::contiguous(t.grad_output);
  const std::vector<float> grad_lse = options.grad_lse ? t.grad_lse : std::vector<float>{};
  reference::Attention<double> exact(t.problem);
  const auto truth = exact.run(grad_output, grad_lse);
  const auto plain = reference::Attention<float>(t.problem).run(grad_output, grad_lse);
  for (const Isa isa : isas) {
    SCOPED_TRACE(name_of(isa));
    const IsaForTest forced(isa);
    const EngineRun run = run_engine(engine, t, OneWorker());
    expect_as_exact_as_plain(run, t, truth, exact.sizes(), plain);
    for (const int threads : {2, 3, 4, 7}) {
      EXPECT_TRUE(run == run_engine(engine, t, ThreadWorkers(threads))) << threads << " threads";
    }
    EXPECT_TRUE(run == run_engine(engine, t, SerialWorkers(3)));
  }
}

}  // namespace heed::kernels::testing
