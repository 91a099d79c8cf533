#include "heed/kernels/attention/patterns/table.h"

#include <utility>
#include <vector>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/patterns/bits.h"

namespace heed::kernels {
namespace {

class BlockSparsePattern final : public Pattern {
 public:
  explicit BlockSparsePattern(BlockTable blocks) : blocks_(std::move(blocks)) {}

  bool varies_by_batch() const override { return blocks_.table.batch != 0; }
  bool varies_by_head() const override { return blocks_.table.head != 0; }

  Cover cover(int64_t batch, int64_t head, Range queries, Range keys) const override {
    bool any = false;
    bool all = true;
    for (int64_t i = queries.begin / blocks_.query_block;
         i < div_up(queries.end, blocks_.query_block); ++i) {
      for (int64_t j = keys.begin / blocks_.key_block; j < div_up(keys.end, blocks_.key_block);
           ++j) {
        const bool here = entry(batch, head, i, j);
        any |= here;
        all &= here;
        if (any && !all) return Cover::kPartial;
      }
    }
    return any ? Cover::kFull : Cover::kEmpty;
  }

  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    for (int64_t block = keys.begin / blocks_.key_block; block * blocks_.key_block < keys.end;
         ++block) {
      const uint64_t bits = block_bits(batch, head, queries, block);
      const int64_t begin = std::max(block * blocks_.key_block, keys.begin);
      const int64_t end = std::min((block + 1) * blocks_.key_block, keys.end);
      std::fill(columns + (begin - keys.begin), columns + (end - keys.begin), bits);
    }
  }

 private:
  bool entry(int64_t batch, int64_t head, int64_t i, int64_t j) const {
    const Table& table = blocks_.table;
    return table.data[batch * table.batch + head * table.head + i * table.row + j * table.column] !=
           0;
  }

  uint64_t block_bits(int64_t batch, int64_t head, Range queries, int64_t key_block) const {
    uint64_t bits = 0;
    for (int64_t i = queries.begin / blocks_.query_block; i * blocks_.query_block < queries.end;
         ++i) {
      if (entry(batch, head, i, key_block)) {
        bits |= bits_between(i * blocks_.query_block - queries.begin,
                             (i + 1) * blocks_.query_block - queries.begin, queries.size());
      }
    }
    return bits;
  }

  BlockTable blocks_;
};

// Bits are kept as `allowed` gives them: a word for each key and each 64 queries, the words of
// one such row of queries side by side.
class MaskPattern final : public Pattern {
 public:
  MaskPattern(const Table& table, const MaskSizes& sizes)
      : sizes_(sizes), word_rows_(div_up(sizes.queries, 64)) {
    words_.resize(sizes.batch * sizes.heads * word_rows_ * sizes.keys);
    for (int64_t b = 0; b < sizes.batch; ++b) {
      for (int64_t h = 0; h < sizes.heads; ++h) {
        for (int64_t i = 0; i < sizes.queries; ++i) {
          const uint8_t* from = table.data + b * table.batch + h * table.head + i * table.row;
          uint64_t* to = words_.data() + plane(b, h) + i / 64 * sizes.keys;
          for (int64_t j = 0; j < sizes.keys; ++j) {
            to[j] |= uint64_t{from[j * table.column] != 0} << (i % 64);
          }
        }
      }
    }
  }

  bool varies_by_batch() const override { return sizes_.batch > 1; }
  bool varies_by_head() const override { return sizes_.heads > 1; }

  Cover cover(int64_t batch, int64_t head, Range queries, Range keys) const override {
    const Range rows = sizes_.queries == 1 ? Range{0, 1} : queries;
    bool any = false;
    bool all = true;
    for (int64_t word = rows.begin / 64; word * 64 < rows.end; ++word) {
      const uint64_t wanted = bits_between(rows.begin - word * 64, rows.end - word * 64, 64);
      const uint64_t* words = words_.data() + plane(batch, head) + word * sizes_.keys;
      for (int64_t j = keys.begin; j < keys.end; ++j) {
        any |= (words[j] & wanted) != 0;
        all &= (words[j] & wanted) == wanted;
        if (any && !all) return Cover::kPartial;
      }
    }
    return any ? Cover::kFull : Cover::kEmpty;
  }

  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    const uint64_t wanted = low_bits(queries.size());
    const uint64_t* words = words_.data() + plane(batch, head) + keys.begin;
    if (sizes_.queries == 1) {
      for (int64_t j = 0; j < keys.size(); ++j) columns[j] = words[j] != 0 ? wanted : 0;
      return;
    }
    words += queries.begin / 64 * sizes_.keys;
    const int64_t shift = queries.begin % 64;
    const bool two_words = shift + queries.size() > 64;
    for (int64_t j = 0; j < keys.size(); ++j) {
      uint64_t bits = words[j] >> shift;
      if (two_words) bits |= words[j + sizes_.keys] << (64 - shift);
      columns[j] = bits & wanted;
    }
  }

 private:
  int64_t plane(int64_t batch, int64_t head) const {
    const int64_t b = sizes_.batch > 1 ? batch : 0;
    const int64_t h = sizes_.heads > 1 ? head : 0;
    return (b * sizes_.heads + h) * word_rows_ * sizes_.keys;
  }

  MaskSizes sizes_;
  int64_t word_rows_;
  std::vector<uint64_t> words_;
};

}  // namespace

PatternPtr block_sparse_pattern(BlockTable blocks) {
  return std::make_shared<BlockSparsePattern>(std::move(blocks));
}

PatternPtr mask_pattern(const Table& table, const MaskSizes& sizes) {
  return std::make_shared<MaskPattern>(table, sizes);
}

}  // namespace heed::kernels
