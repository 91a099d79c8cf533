#include "heed/io/weights/torch_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

std::string pickled_text(const std::string& value) {
  return "X" + bytes_of(static_cast<uint32_t>(value.size())) + value;
}

std::string name(const std::string& module, const std::string& member) {
  return "c" + module + "\n" + member + "\n";
}

std::string number(int value) { return "J" + bytes_of(static_cast<int32_t>(value)); }

// A tensor (rows, columns) of storage `key`, which has `count` floats.
struct View {
  int offset = 0;
  int rows = 2;
  int columns = 3;
  int row_step = 3;
  int column_step = 1;
};
std::string tensor(const std::string& key, int count, const View& view, bool old) {
  const std::string storage = "(" + pickled_text("storage") + name("torch", "FloatStorage") +
                              pickled_text(key) + pickled_text("cpu") + number(count) +
                              (old ? "N" : "") + "tQ";
  return name("torch._utils", "_rebuild_tensor_v2") + "(" + storage + number(view.offset) +
         number(view.rows) + number(view.columns) + "\x86" + number(view.row_step) +
         number(view.column_step) + "\x86" + "\x89" + name("collections", "OrderedDict") + ")RtR";
}

// {"weight": …, "turned": …}, both of storage "0".
std::string state(int count, const View& second, bool old = false) {
  return "\x80\x02" + name("collections", "OrderedDict") + ")R(" + pickled_text("weight") +
         tensor("0", count, {}, old) + pickled_text("turned") + tensor("0", count, second, old) +
         "u.";
}

std::string floats(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += bytes_of(static_cast<float>(i));
  return bytes;
}

// An archive of entries that are stored as they are.
std::string zip(const std::vector<std::pair<std::string, std::string>>& entries,
                uint16_t method = 0) {
  std::string file;
  std::string directory;
  for (const auto& [entry, content] : entries) {
    const auto size = static_cast<uint32_t>(content.size());
    const std::string common = bytes_of(uint16_t{20}) + bytes_of(uint16_t{0}) + bytes_of(method) +
                               bytes_of(uint32_t{0}) + bytes_of(uint32_t{0}) + bytes_of(size) +
                               bytes_of(size) + bytes_of(static_cast<uint16_t>(entry.size())) +
                               bytes_of(uint16_t{0});
    directory += "PK\x01\x02" + bytes_of(uint16_t{20}) + common + bytes_of(uint16_t{0}) +
                 bytes_of(uint16_t{0}) + bytes_of(uint16_t{0}) + bytes_of(uint32_t{0}) +
                 bytes_of(static_cast<uint32_t>(file.size())) + entry;
    file += "PK\x03\x04" + common + entry + content;
  }
  const auto begin = static_cast<uint32_t>(file.size());
  const auto count = static_cast<uint16_t>(entries.size());
  return file + directory + "PK\x05\x06" + bytes_of(uint32_t{0}) + bytes_of(count) +
         bytes_of(count) + bytes_of(static_cast<uint32_t>(directory.size())) + bytes_of(begin) +
         bytes_of(uint16_t{0});
}

std::string archive(const std::string& pickle, const std::string& storage) {
  return zip({{"archive/data.pkl", pickle}, {"archive/data/0", storage}});
}

// As torch wrote before 1.6.
std::string old_file(const std::string& pickle, int count) {
  const std::string mark("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8P\x19.", 15);
  const std::string keys = "\x80\x02](" + pickled_text("0") + "e.";
  return mark + "\x80\x02M\xe9\x03." + "\x80\x02}(" + pickled_text("little_endian") + "\x88u." +
         pickle + keys + bytes_of(static_cast<int64_t>(count)) + floats(count);
}

class TorchFiles : public ::testing::Test {
 protected:
  TorchFile read(const std::string& bytes) {
    test::spill(folder_ / "pytorch_model.bin", bytes);
    return TorchFile::from_file(folder_ / "pytorch_model.bin");
  }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  void expect_both_views(const TorchFile& file) {
    ASSERT_EQ(file.tensors().size(), 2U);
    const StridedTensor& weight = file.tensors()[0];
    const StridedTensor& turned = file.tensors()[1];
    EXPECT_EQ(weight.name, "weight");
    EXPECT_EQ(weight.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(weight.strides, (std::vector<int64_t>{3, 1}));
    EXPECT_EQ(reinterpret_cast<const float*>(weight.data)[4], 4);
    EXPECT_EQ(turned.strides, (std::vector<int64_t>{1, 3}));
    EXPECT_EQ(reinterpret_cast<const float*>(turned.data)[0], 1);
  }

  test::Folder folder_;
  const View kTurned{.offset = 1, .rows = 2, .columns = 3, .row_step = 1, .column_step = 3};
};

TEST_F(TorchFiles, TensorsAreViewsOfTheirStorage) {
  expect_both_views(read(archive(state(9, kTurned), floats(9))));
}

TEST_F(TorchFiles, WhatTorchWroteBeforeZipArchivesIsReadToo) {
  expect_both_views(read(old_file(state(9, kTurned, true), 9)));
}

TEST_F(TorchFiles, NothingIsExecutedAndTheNameIsSaid) {
  const std::string call =
      "\x80\x02" + name("os", "system") + "(" + pickled_text("touch executed") + "tR.";
  EXPECT_NE(refusal(archive(call, "")).find("holds \"os.system\""), std::string::npos)
      << refusal(archive(call, ""));
  // The same by the names on the stack.
  const std::string by_stack = "\x80\x04\x8c\x02os\x8c\x06system\x93.";
  EXPECT_NE(refusal(archive(by_stack, "")).find("\"os.system\""), std::string::npos);
  const std::string space = "\x80\x02" + name("argparse", "Namespace") + ")R.";
  EXPECT_NE(refusal(archive(space, "")).find("\"argparse.Namespace\""), std::string::npos);
}

TEST_F(TorchFiles, AViewMustLieInItsStorage) {
  for (const View& view : {View{.offset = 4}, View{.rows = 4}, View{.offset = -1},
                           View{.row_step = -3}, View{.column_step = 1 << 30}, View{.rows = -1}}) {
    EXPECT_NE(refusal(archive(state(9, view), floats(9))), "");
  }
  EXPECT_NE(refusal(archive(state(9, kTurned), floats(8))), "");
  EXPECT_EQ(refusal(archive(state(9, {.offset = 3}), floats(9))), "");
}

TEST_F(TorchFiles, CompressedEntriesAreRefused) {
  const std::string file =
      zip({{"archive/data.pkl", state(9, kTurned)}, {"archive/data/0", floats(9)}}, 8);
  EXPECT_NE(refusal(file).find("compressed"), std::string::npos);
}

// A file of n bytes would otherwise take n² of memory.
TEST_F(TorchFiles, WhatIsThereOnceIsNotReadOverAndOver) {
  std::string pickle = "\x80\x02" + name("collections", "OrderedDict") + "q\x01" + "](";
  pickle += number(1) + number(2) + "\x86q\x02";
  for (int i = 0; i < 50'000; ++i) pickle += "h\x02";
  pickle += "eq\x03";
  for (int i = 0; i < 100; ++i) pickle += "h\x01h\x03\x85R";
  EXPECT_NE(refusal(archive(pickle + "N.", "")).find("more values"), std::string::npos);

  const std::string one = zip({{"archive/data/0", std::string(1000, 'x')}});
  const size_t directory = one.find("PK\x01\x02");
  const size_t end = one.find("PK\x05\x06");
  std::string two = one.substr(0, end) + one.substr(directory);
  two[2 * end - directory + 10] = 2;  // records
  EXPECT_NE(refusal(two).find("overlap"), std::string::npos);
}

TEST_F(TorchFiles, FilesCutOffAnywhereAreRefused) {
  const std::string now = archive(state(9, kTurned), floats(9));
  const std::string old = old_file(state(9, kTurned, true), 9);
  for (const std::string& whole : {now, old}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
    }
  }
}

TEST_F(TorchFiles, DamagedFilesAreReadOrRefused) {
  std::mt19937 random(3);
  for (const std::string& whole :
       {archive(state(9, kTurned), floats(9)), old_file(state(9, kTurned, true), 9)}) {
    for (int i = 0; i < 3000; ++i) {
      std::string damaged = whole;
      for (int changes = 1 + i % 3; changes > 0; --changes) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      refusal(damaged);
    }
  }
}

}  // namespace
}  // namespace heed
