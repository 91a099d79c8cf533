#include "heed/ops/attention/graph_columns.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <list>
#include <mutex>

namespace heed {
namespace {

constexpr size_t kMostGraphs = 16;

// Of one integer at one place (splitmix64, Steele et al. 2014); the sum over all places does not
// depend on their order, nor on the number of threads.
uint64_t mixed(uint64_t place, uint64_t value) {
  uint64_t z = value * 0xd1342543de82ef95 + (place + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t mixed(const at::Tensor& integers) {
  constexpr int64_t kAtATime = 65536;
  const int64_t* data = integers.const_data_ptr<int64_t>();
  return at::parallel_reduce(
      0, integers.numel(), kAtATime, uint64_t{0},
      [&](int64_t begin, int64_t end, uint64_t sum) {
        for (int64_t i = begin; i < end; ++i) {
          sum += mixed(static_cast<uint64_t>(i), static_cast<uint64_t>(data[i]));
        }
        return sum;
      },
      [](uint64_t a, uint64_t b) { return a + b; });
}

struct Contents {
  uint64_t offsets;
  uint64_t columns;
  int64_t queries;
  int64_t edges;
  int64_t keys;
  bool operator==(const Contents&) const = default;
};

struct Kept {
  Contents contents;
  c10::weak_intrusive_ptr<c10::StorageImpl> storage;  // of the columns
  int64_t place;                                      // in it
  kernels::TransposedPtr columns;
};

struct Cache {
  std::mutex mutex;
  std::list<Kept> graphs;  // the latest first
  int64_t transposed = 0;

  void drop_dead() {
    graphs.remove_if([](const Kept& graph) { return graph.storage.expired(); });
  }

  kernels::TransposedPtr find(const Contents& contents) {
    const std::lock_guard lock(mutex);
    drop_dead();
    const auto found = std::find_if(graphs.begin(), graphs.end(),
                                    [&](const Kept& graph) { return graph.contents == contents; });
    if (found == graphs.end()) return nullptr;
    graphs.splice(graphs.begin(), graphs, found);
    return graphs.front().columns;
  }

  void keep(Kept graph) {
    const std::lock_guard lock(mutex);
    ++transposed;
    // What the same memory held before will hardly come again.
    graphs.remove_if([&](const Kept& other) {
      return other.contents == graph.contents ||
             (other.storage == graph.storage && other.place == graph.place);
    });
    graphs.push_front(std::move(graph));
    if (graphs.size() > kMostGraphs) graphs.pop_back();
  }
};

Cache& cache() {
  static Cache* const all = new Cache;  // never destroyed: other static objects may hold tensors
  return *all;
}

}  // namespace

kernels::TransposedPtr graph_columns(const at::Tensor& offsets, const at::Tensor& columns,
                                     int64_t keys, const Workers& workers) {
  const Contents contents{.offsets = mixed(offsets),
                          .columns = mixed(columns),
                          .queries = offsets.numel() - 1,
                          .edges = columns.numel(),
                          .keys = keys};
  if (auto found = cache().find(contents)) return found;
  // Two threads that find nothing both transpose: rare, and better than one of them under the lock.
  auto made = std::make_shared<const kernels::TransposedRows>(kernels::transpose_rows(
      {.offsets = offsets.const_data_ptr<int64_t>(), .columns = columns.const_data_ptr<int64_t>()},
      contents.queries, keys, workers));
  cache().keep({contents, columns.storage().getWeakStorageImpl(), columns.storage_offset(), made});
  return made;
}

GraphColumnsSummary graph_columns_summary() {
  const std::lock_guard lock(cache().mutex);
  cache().drop_dead();
  return {.graphs = static_cast<int64_t>(cache().graphs.size()), .transposed = cache().transposed};
}

}  // namespace heed
