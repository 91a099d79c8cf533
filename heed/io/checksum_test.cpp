#include "heed/io/checksum.h"

#include <gtest/gtest.h>

#include <set>

namespace heed {
namespace {

template <typename... Values>
std::string sum_of(const Values&... values) {
  Checksum sum;
  (sum.add(values), ...);
  return sum.text();
}

TEST(Checksum, TellsContentsOrderAndPiecesApart) {
  using Texts = std::vector<std::string>;
  const std::set<std::string> all = {sum_of(),
                                     sum_of(""),
                                     sum_of("a"),
                                     sum_of("ab"),
                                     sum_of("a", "b"),
                                     sum_of("b", "a"),
                                     sum_of("a", "b", ""),
                                     sum_of(Texts{"a", "b"}),
                                     sum_of(Texts{"ab"}),
                                     sum_of(1),
                                     sum_of(2),
                                     sum_of(1, 2),
                                     sum_of(2, 1),
                                     sum_of(1.0),
                                     sum_of(std::string(8, '\0')),
                                     sum_of(std::string(9, '\0')),
                                     sum_of(std::string(16, '\0'))};
  EXPECT_EQ(all.size(), 17U);
  EXPECT_EQ(sum_of("ab"), sum_of(std::string("ab")));
}

TEST(Checksum, SeesEachBit) {
  std::string bytes(1000, 'x');
  const std::string whole = sum_of(bytes);
  std::set<std::string> all = {whole};
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      all.insert(sum_of(bytes));
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
  EXPECT_EQ(all.size(), 8001U);
  EXPECT_EQ(sum_of(bytes), whole);
}

}  // namespace
}  // namespace heed
