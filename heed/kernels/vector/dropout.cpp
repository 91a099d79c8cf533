#include "heed/kernels/vector/dropout.h"

namespace heed::kernels {
namespace {

struct Block {
  uint32_t word[4];
};

// Philox4x32 with ten rounds.
Block philox(uint64_t seed, Block counter) {
  uint32_t k0 = static_cast<uint32_t>(seed);
  uint32_t k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xd2511f53u} * counter.word[0];
    const uint64_t b = uint64_t{0xcd9e8d57u} * counter.word[2];
    counter = {{static_cast<uint32_t>(b >> 32) ^ counter.word[1] ^ k0, static_cast<uint32_t>(b),
                static_cast<uint32_t>(a >> 32) ^ counter.word[3] ^ k1, static_cast<uint32_t>(a)}};
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return counter;
}

// Four indices share a counter.
Block keys_of(uint64_t seed, uint64_t head, DropoutAxis axis, uint64_t group) {
  return philox(seed, {{static_cast<uint32_t>(group), static_cast<uint32_t>(group >> 32),
                        static_cast<uint32_t>(head),
                        (static_cast<uint32_t>(head >> 32) << 1) | static_cast<uint32_t>(axis)}});
}

}  // namespace

uint32_t dropout_key(uint64_t seed, uint64_t head, DropoutAxis axis, uint64_t index) {
  return keys_of(seed, head, axis, index / 4).word[index % 4];
}

void fill_dropout_keys(uint64_t seed, uint64_t head, DropoutAxis axis, int64_t count,
                       uint32_t* keys) {
  for (int64_t i = 0; i < count; i += 4) {
    const Block block = keys_of(seed, head, axis, static_cast<uint64_t>(i / 4));
    for (int64_t r = 0; r < 4 && i + r < count; ++r) keys[i + r] = block.word[r];
  }
}

}  // namespace heed::kernels
