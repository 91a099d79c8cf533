#include "heed/kernels/attention/patterns/sparse_columns.h"

#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {

// Every worker reads all edges and takes those of its own part of the keys: no two write to the
// same place, and the order within a key is that of the edges however many they are.
TransposedRows transpose_rows(const SparseRows& rows, int64_t queries, int64_t keys,
                              const Workers& workers) {
  const int64_t edges = rows.offsets[queries];
  TransposedRows to;
  to.offsets.assign(keys + 1, 0);
  to.rows.reset(new uint32_t[edges]);
  to.edges.reset(new uint32_t[edges]);
  const int64_t parts = workers.count();
  const double operations = 4.0 * static_cast<double>(edges);
  const auto part_of = [&](int64_t part) {
    return Range{keys * part / parts, keys * (part + 1) / parts};
  };

  for_each_task(workers, parts, operations, [&](int64_t part) {
    const Range mine = part_of(part);
    for (int64_t e = 0; e < edges; ++e) {
      const int64_t key = rows.columns[e];
      if (key >= mine.begin && key < mine.end) ++to.offsets[key + 1];
    }
  });
  for (int64_t key = 0; key < keys; ++key) to.offsets[key + 1] += to.offsets[key];

  std::vector<int64_t> next(to.offsets.begin(), to.offsets.end() - 1);
  for_each_task(workers, parts, operations, [&](int64_t part) {
    const Range mine = part_of(part);
    for (int64_t query = 0; query < queries; ++query) {
      for (int64_t e = rows.offsets[query]; e < rows.offsets[query + 1]; ++e) {
        const int64_t key = rows.columns[e];
        if (key < mine.begin || key >= mine.end) continue;
        const int64_t at = next[key]++;
        to.rows[at] = static_cast<uint32_t>(query);
        to.edges[at] = static_cast<uint32_t>(e);
      }
    }
  });
  return to;
}

}  // namespace heed::kernels
