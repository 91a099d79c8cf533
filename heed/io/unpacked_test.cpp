#include "heed/io/unpacked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

using ::testing::HasSubstr;

class Unpacked : public ::testing::Test {
 protected:
  std::filesystem::path packed(const std::string& content) {
    const auto path = folder_ / "packed";
    gzFile file = ::gzopen(path.c_str(), "wb");
    ::gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    ::gzclose(file);
    return path;
  }

  test::Folder folder_;
};

TEST_F(Unpacked, PlainAndGzipAreTheSame) {
  std::string content(1 << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * i % 251);
  test::spill(folder_ / "plain", content);
  EXPECT_EQ(read_unpacked(folder_ / "plain", 1 << 20), content);
  EXPECT_EQ(read_unpacked(packed(content), 1 << 20), content);
  test::spill(folder_ / "empty", "");
  EXPECT_EQ(read_unpacked(folder_ / "empty", 10), "");
}

TEST_F(Unpacked, ABombIsRefusedBeforeItIsUnpacked) {
  const auto bomb = packed(std::string(size_t{64} << 20, 'a'));
  EXPECT_LT(std::filesystem::file_size(bomb), 200'000u);
  EXPECT_THAT(test::message_of<DataError>([&] { read_unpacked(bomb, 1000); }),
              HasSubstr("more than the 1000 bytes"));
}

TEST_F(Unpacked, ACutFileIsRefused) {
  std::string content;
  for (int i = 0; i < 30'000; ++i) content += std::to_string(i * 7919 % 10'007);
  const std::string whole = test::slurp(packed(content));
  for (const size_t length : {whole.size() - 1, whole.size() / 2, size_t{20}}) {
    test::spill(folder_ / "cut", whole.substr(0, length));
    EXPECT_THROW(read_unpacked(folder_ / "cut", 1 << 20), DataError) << length;
  }
  EXPECT_THROW(read_unpacked(folder_ / "none", 1), MissingInputError);
}

}  // namespace
}  // namespace heed
