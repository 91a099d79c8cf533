#include "heed/ops/dense/packed_weights.h"

#include <ATen/ATen.h>

#include <atomic>
#include <map>
#include <mutex>
#include <tuple>

#include "heed/ops/linear.h"
#include "heed/ops/operator_workers.h"

namespace heed {
namespace {

// Storage, place in it, sizes, strides, dtype, operand.
using Key = std::tuple<const c10::StorageImpl*, int64_t, int64_t, int64_t, int64_t, int64_t,
                       at::ScalarType, kernels::DataType>;

struct Copy {
  // Keeps the address of the storage from being given to another one, not its memory.
  c10::weak_intrusive_ptr<c10::StorageImpl> storage;
  uint32_t version = 0;
  PackedPtr packed;
};

struct PackedCache {
  std::mutex mutex;
  std::map<Key, Copy> copies;
  std::atomic<int64_t> count{0};  // of copies, readable without the mutex
  std::atomic<int64_t> packings{0};
  std::atomic<bool> keeps{true};

  void update_count() { count = static_cast<int64_t>(copies.size()); }
};

PackedCache& packed_cache() {
  static PackedCache* const all =
      new PackedCache;  // never destroyed: other static objects may hold tensors
  return *all;
}

Key key_of(const at::Tensor& w, kernels::DataType operand) {
  return {w.storage().unsafeGetStorageImpl(),
          w.storage_offset(),
          w.size(0),
          w.size(1),
          w.stride(0),
          w.stride(1),
          w.scalar_type(),
          operand};
}

PackedPtr pack(const at::Tensor& weight, kernels::DataType operand) {
  ++packed_cache().packings;
  const at::Tensor readable = with_contiguous_side(weight);
  return std::make_shared<const kernels::PackedMatrix>(matrix_of(readable).transposed(), operand,
                                                       OperatorWorkers());
}

void drop_dead(std::map<Key, Copy>& copies) {
  std::erase_if(copies, [](const auto& entry) { return entry.second.storage.expired(); });
}

}  // namespace

kernels::ConstMatrix matrix_of(const at::Tensor& t) {
  kernels::ConstMatrix m;
  m.data = t.const_data_ptr();
  m.type =
      t.scalar_type() == at::kFloat ? kernels::DataType::kFloat32 : kernels::DataType::kBFloat16;
  m.rows = t.size(0);
  m.columns = t.size(1);
  m.row_stride = t.stride(0);
  m.column_stride = t.stride(1);
  // The stride of a dimension of one element is never stepped by and may be anything.
  if (m.columns == 1) m.column_stride = 1;
  if (m.rows == 1 && m.column_stride != 1) m.row_stride = 1;
  return m;
}

at::Tensor with_contiguous_side(const at::Tensor& t) {
  const kernels::ConstMatrix m = matrix_of(t);
  return m.row_stride == 1 || m.column_stride == 1 ? t : t.contiguous();
}

PackedPtr packed_weight(const at::Tensor& weight, kernels::DataType operand) {
  PackedCache& all = packed_cache();
  if (!all.keeps || weight.is_inference()) return pack(weight, operand);
  const Key key = key_of(weight, operand);
  const auto version = static_cast<uint32_t>(weight._version());
  {
    const std::lock_guard lock(all.mutex);
    const auto found = all.copies.find(key);
    if (found != all.copies.end() && found->second.version == version &&
        !found->second.storage.expired() && found->second.packed->fits()) {
      return found->second.packed;
    }
  }
  // Two threads that find nothing both pack: rare, and better than one packing under the lock.
  PackedPtr packed = pack(weight, operand);
  const std::lock_guard lock(all.mutex);
  drop_dead(all.copies);
  all.copies.insert_or_assign(key, Copy{weight.storage().getWeakStorageImpl(), version, packed});
  all.update_count();
  return packed;
}

void forget_packed_weight(const at::Tensor& weight) {
  PackedCache& all = packed_cache();
  if (all.count.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(all.mutex);
  drop_dead(all.copies);
  for (const auto operand : {kernels::DataType::kFloat32, kernels::DataType::kBFloat16}) {
    all.copies.erase(key_of(weight, operand));
  }
  all.update_count();
}

PackedWeightsSummary packed_weights_summary() {
  PackedCache& all = packed_cache();
  const std::lock_guard lock(all.mutex);
  drop_dead(all.copies);
  all.update_count();
  PackedWeightsSummary summary{.copies = all.count, .packings = all.packings};
  for (const auto& [key, copy] : all.copies) summary.bytes += copy.packed->bytes();
  return summary;
}

void keep_packed_weights(bool keeps) {
  packed_cache().keeps = keeps;
  if (!keeps) forget_packed_weights();
}

void forget_packed_weights() {
  PackedCache& all = packed_cache();
  const std::lock_guard lock(all.mutex);
  all.copies.clear();
  all.update_count();
}

}  // namespace heed
