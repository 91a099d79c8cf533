// Which attention weights dropout keeps: a counter-based hash of (seed, head, query, key), so that
// the mask does not depend on blocking, on threads or on the direction of the pass.
//
// Every row and every column of a head's matrix gets a strong 32-bit key (Philox4x32-10: Salmon et
// al. 2011, "Parallel random numbers: as easy as 1, 2, 3"); a cheap mix of the two decides on the
// element. `head` is b · H + h.
#pragma once

#include <cstdint>

namespace heed::kernels {

struct Dropout {
  double probability = 0;
  uint64_t seed = 0;
  // Of which heads the mask is: first_head … of all_heads. all_heads 0: of those that are here.
  int64_t first_head = 0;
  int64_t all_heads = 0;
};

enum class DropoutAxis : uint32_t { kQuery = 0, kKey = 1 };

// The 32-bit key of query or key `index` of a head.
uint32_t dropout_key(uint64_t seed, uint64_t head, DropoutAxis axis, uint64_t index);

// The number that the keys of head `slice` = b · H + h are made with.
inline uint64_t dropout_head(const Dropout& dropout, int64_t slice, int64_t heads) {
  if (dropout.all_heads == 0) return static_cast<uint64_t>(slice);
  return static_cast<uint64_t>(slice / heads * dropout.all_heads + dropout.first_head +
                               slice % heads);
}

// Those of indices 0 … count − 1.
void fill_dropout_keys(uint64_t seed, uint64_t head, DropoutAxis axis, int64_t count,
                       uint32_t* keys);

// Two multiplications are enough to make neighbours unlike: both keys are already random. Words are
// uint32_t, or vectors of it in the leaf code; never a function of its own, which one instruction
// set could be linked into the place of another's.
template <typename Words>
inline __attribute__((always_inline)) Words dropout_mix(Words query_key, Words key_key) {
  Words x = query_key ^ key_key;
  x *= 0x9e3779b1u;
  x ^= x >> 15;
  x *= 0x85ebca77u;
  return x;
}

// A weight is kept where dropout_mix is not below this. 0 < probability < 1.
inline uint32_t dropout_threshold(double probability) {
  const double scaled = probability * 4294967296.0;
  return scaled >= 4294967295.0 ? 0xffffffffu : static_cast<uint32_t>(scaled);
}

// Whether the weight of (query, key) survives: the one definition that every engine follows.
inline bool dropout_keeps(const Dropout& dropout, uint64_t head, uint64_t query, uint64_t key) {
  return dropout_mix(dropout_key(dropout.seed, head, DropoutAxis::kQuery, query),
                     dropout_key(dropout.seed, head, DropoutAxis::kKey, key)) >=
         dropout_threshold(dropout.probability);
}

}  // namespace heed::kernels
