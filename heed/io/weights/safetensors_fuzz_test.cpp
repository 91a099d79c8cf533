// Damaged models: every truncation, and ten thousand flips of bits. Accepted or refused with one
// line, never a crash, a hang or another error.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/testing/safetensors_samples.h"
#include "heed/io/testing/test_files.h"
#include "heed/io/weights/safetensors.h"

namespace heed {
namespace {

using test::Folder;
using test::slurp;
using test::spill;

constexpr int kFlips = 10'000;

// A model directory as training leaves it.
void write_model(const std::filesystem::path& folder) {
  spill(folder / "model.safetensors", test::small_model());
  spill(folder / "config.json", R"({"architectures": ["Classifier"], "hidden_size": 256,
      "num_heads": 4, "dropout": 0.1, "norm": "pre", "labels": ["neg", "pos"], "tied": false})");
  spill(folder / "tokenizer.json", R"({"version": "1.0", "added_tokens": [{"id": 0, "content":
      "[PAD]", "special": true}], "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type":
      "Whitespace"}, "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "the": 1, "caf\u00e9":
      2, "日本": 3}, "unk_token": "[UNK]"}})");
}

// Reads every value that the directory promises and every byte of every tensor.
size_t use(const Safetensors& model) {
  size_t sum = 0;
  for (const StoredTensor& tensor : model.tensors()) {
    uint64_t bytes = dtype_bytes(tensor.dtype);
    for (const int64_t dimension : tensor.shape) bytes *= static_cast<uint64_t>(dimension);
    EXPECT_EQ(bytes, tensor.bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % dtype_bytes(tensor.dtype), 0u);
    for (size_t i = 0; i < tensor.bytes; ++i) sum += static_cast<size_t>(tensor.data[i]);
  }
  return sum;
}

// True if accepted, false if refused; any other outcome fails the test.
template <typename Read>
bool is_accepted(Read&& read) {
  try {
    read();
    return true;
  } catch (const DataError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 3000u);
    return false;
  }
}

// Damages `content` in one to four bits.
std::string flipped(std::string content, std::mt19937_64& random) {
  const auto flips = 1 + random() % 4;
  for (uint64_t i = 0; i < flips; ++i) {
    const size_t bit = random() % (content.size() * 8);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
  }
  return content;
}

TEST(Damage, EveryTruncationOfAModelIsRefused) {
  const Folder folder;
  write_model(folder.path());
  const std::string whole = slurp(folder / "model.safetensors");
  ASSERT_TRUE(is_accepted([&] { use(Safetensors::from_directory(folder.path())); }));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(is_accepted([&] {
      // Of its own size, so that reading one byte too far is seen.
      use(Safetensors::from_bytes(whole.substr(0, size), "cut"));
    })) << size;
    spill(folder / "model.safetensors", whole.substr(0, size));
    EXPECT_FALSE(is_accepted([&] { use(Safetensors::from_directory(folder.path())); })) << size;
  }
}

TEST(Damage, EveryTruncationOfItsJsonIsRefused) {
  const Folder folder;
  write_model(folder.path());
  for (const char* name : {"config.json", "tokenizer.json"}) {
    const std::string whole = slurp(folder / name);
    for (size_t size = 0; size < whole.size(); ++size) {
      spill(folder / name, whole.substr(0, size));
      EXPECT_FALSE(is_accepted([&] { read_json(folder / name, {1 << 20}); })) << size;
    }
  }
}

TEST(Damage, FlippedBitsOfAModelAreAcceptedOrRefused) {
  const Folder folder;
  write_model(folder.path());
  const std::string whole = slurp(folder / "model.safetensors");
  std::mt19937_64 random(1);
  int accepted = 0;
  size_t sum = 0;
  for (int i = 0; i < kFlips; ++i) {
    const std::string damaged = flipped(whole, random);
    accepted += is_accepted([&] { sum += use(Safetensors::from_bytes(damaged, "flipped")); });
    if (i % 20 == 0) {  // the same through the file system
      spill(folder / "model.safetensors", damaged);
      is_accepted([&] { sum += use(Safetensors::from_directory(folder.path())); });
    }
  }
  // Flips in the data and in names go unnoticed; flips in the structure do not.
  EXPECT_GT(accepted, kFlips / 100);
  EXPECT_LT(accepted, kFlips / 2);
  EXPECT_GT(sum, 0u);
}

TEST(Damage, FlippedBitsOfJsonAreAcceptedOrRefused) {
  const Folder folder;
  write_model(folder.path());
  for (const char* name : {"config.json", "tokenizer.json"}) {
    const std::string whole = slurp(folder / name);
    std::mt19937_64 random(2);
    int accepted = 0;
    for (int i = 0; i < kFlips; ++i) {
      const std::string damaged = flipped(whole, random);
      accepted += is_accepted([&] {
        const JsonValue value = parse_json(damaged, name, {1 << 20});
        EXPECT_EQ(Json::parse(json_text(value.json())), value.json());
      });
    }
    EXPECT_GT(accepted, kFlips / 100) << name;
    EXPECT_LT(accepted, kFlips * 9 / 10) << name;
  }
}

// Whole bytes instead of bits, in the header alone, among the characters that JSON is made of:
// this reaches further into the reader than random bits.
TEST(Damage, OtherCharactersInTheHeaderAreAcceptedOrRefused) {
  const std::string whole = test::small_model();
  constexpr std::string_view kCharacters = "{}[]\",:0129-.eE\\ untfF6U8I\0\xff";
  const size_t header = whole.size() - 8 - 56;
  std::mt19937_64 random(3);
  int accepted = 0;
  for (int i = 0; i < kFlips; ++i) {
    std::string damaged = whole;
    damaged[8 + random() % header] = kCharacters[random() % kCharacters.size()];
    if (i % 2) damaged[8 + random() % header] = kCharacters[random() % kCharacters.size()];
    accepted += is_accepted([&] { use(Safetensors::from_bytes(damaged, "changed")); });
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kFlips / 2);
}

}  // namespace
}  // namespace heed
