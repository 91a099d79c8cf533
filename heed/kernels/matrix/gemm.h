// Dense matrix products C = activation(A · B + bias), float32 and bfloat16 with float32
// accumulation, from any layout of A and B.
//
// Each element of C is summed over the depth in blocks of fixed length, in order, whatever the
// sizes of the tiles and the number of workers: the result is the same bits for any number of
// workers, and row i of C does not depend on the other rows of A (products of up to kFewRows rows
// apart, which are summed in another order).
#pragma once

#include <cstdint>
#include <memory>

#include "heed/base/workers.h"
#include "heed/kernels/data_type.h"

namespace heed::kernels {

enum class GemmActivation : uint8_t { kNone, kRelu, kGelu, kGeluTanh, kSilu };

// A matrix that is read; strides in elements, of which one must be 1. A row stride of 0 is an
// expanded dimension.
struct ConstMatrix {
  const void* data = nullptr;
  DataType type = DataType::kFloat32;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t row_stride = 0;
  int64_t column_stride = 1;

  ConstMatrix transposed() const { return {data, type, columns, rows, column_stride, row_stride}; }
};

// A matrix that is written, rows contiguous. No data: not wanted.
struct MutableMatrix {
  void* data = nullptr;
  DataType type = DataType::kFloat32;
  int64_t row_stride = 0;
};

// What happens to the sums on their way to memory.
struct GemmEpilogue {
  const float* bias = nullptr;  // (columns), or null
  GemmActivation activation = GemmActivation::kNone;
  MutableMatrix before_activation;  // also kept, for the backward pass
};

// B as the kernel reads it: panels of a few columns, depth by depth. Holds for the instruction set
// that was in use when it was made (see fits()).
class PackedMatrix {
 public:
  // `operand`: what the product multiplies; bfloat16 operands are multiplied as bfloat16 where the
  // CPU does that, else as float32.
  PackedMatrix(const ConstMatrix& b, DataType operand, const Workers& workers);

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  DataType operand() const { return operand_; }
  int64_t bytes() const;
  bool fits() const;  // made for the instruction set now in use
  const uint32_t* panel(int64_t number) const;
  int64_t panel_words() const { return panel_words_; }  // from one panel to the next

 private:
  int64_t depth_ = 0;
  int64_t columns_ = 0;
  DataType operand_ = DataType::kFloat32;
  int isa_ = 0;
  int64_t panel_words_ = 0;
  std::shared_ptr<uint32_t[]> words_;
};

struct GemmProblem {
  ConstMatrix a;                         // (rows, depth)
  const PackedMatrix* packed = nullptr;  // B (depth, columns)
  MutableMatrix c;                       // (rows, columns)
  GemmEpilogue epilogue;
  // Σ over the depth of each row of A as it is multiplied, in float32: the gradient of a bias where
  // A is a transposed gradient. Null: not wanted.
  float* row_sums = nullptr;
};

void gemm(const GemmProblem& problem, const Workers& workers);

// The most rows that few_rows() takes.
inline constexpr int kFewRows = 4;

// C = activation(A · Wᵀ + bias) for up to kFewRows rows of A, at the speed at which W is read:
// nothing is packed. Both have contiguous rows of `depth` elements and the same type.
struct FewRowsProblem {
  ConstMatrix a;       // (rows, depth)
  ConstMatrix weight;  // (columns, depth)
  MutableMatrix c;     // (rows, columns)
  GemmEpilogue epilogue;
};
void few_rows(const FewRowsProblem& problem, const Workers& workers);

// grad_before = grad · activation'(x), elementwise over `count` contiguous elements of one type;
// x is what the activation got, except for ReLU, where it may as well be what came out.
struct ActivationGradient {
  GemmActivation activation = GemmActivation::kNone;
  DataType type = DataType::kFloat32;
  const void* grad = nullptr;
  const void* x = nullptr;
  void* grad_before = nullptr;
  int64_t count = 0;
};
void activation_gradient(const ActivationGradient& problem, const Workers& workers);

}  // namespace heed::kernels
