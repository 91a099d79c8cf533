#include "heed/io/weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/testing/safetensors_samples.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

namespace fs = std::filesystem;
using test::entry;
using test::file_of;
using test::Folder;
using test::message_of;
using test::shared_data;
using test::slurp;
using test::spill;
using testing::ElementsAre;
using testing::HasSubstr;

// Bytes that a tensor can point to.
const std::string& some_bytes() {
  static const std::string bytes = [] {
    std::string content(4096, '\0');
    for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + 7);
    return content;
  }();
  return bytes;
}

StoredTensor tensor(std::string name, SafetensorsDtype dtype, std::vector<int64_t> shape) {
  size_t bytes = dtype_bytes(dtype);
  for (const int64_t dimension : shape) bytes *= static_cast<size_t>(dimension);
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = std::move(shape),
          .data = reinterpret_cast<const std::byte*>(some_bytes().data()),
          .bytes = bytes};
}

std::string bytes_of(const StoredTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data), tensor.bytes};
}

// One tensor of each dtype, of odd sizes, a scalar and empty ones, with awkward names.
std::vector<StoredTensor> every_dtype() {
  std::vector<StoredTensor> all;
  for (int i = 0; i < 15; ++i) {
    const auto dtype = static_cast<SafetensorsDtype>(i);
    all.push_back(tensor("t." + std::string(dtype_name(dtype)), dtype, {i % 4 + 1, 3, 5}));
  }
  all.push_back(tensor("scalar", SafetensorsDtype::kF32, {}));
  all.push_back(tensor("empty", SafetensorsDtype::kF64, {3, 0}));
  all.push_back(tensor("a \"name\" \\ with \n and é 日", SafetensorsDtype::kU8, {1}));
  return all;
}

const SafetensorsMetadata kMetadata = {{"format", "pt"}, {"é \"\n", "\x01 日"}};

void expect_same(const Safetensors& found, const std::vector<StoredTensor>& expected) {
  EXPECT_EQ(found.tensors().size(), expected.size());
  for (const StoredTensor& wanted : expected) {
    SCOPED_TRACE(wanted.name);
    const StoredTensor& tensor = found.at(wanted.name);
    EXPECT_EQ(tensor.dtype, wanted.dtype);
    EXPECT_EQ(tensor.shape, wanted.shape);
    EXPECT_EQ(bytes_of(tensor), bytes_of(wanted));
    EXPECT_NE(tensor.data, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % dtype_bytes(tensor.dtype), 0u);
  }
}

TEST(Safetensors, ReadsWhatTheFormatSays) {
  const Folder folder;
  spill(folder / "model.safetensors", test::small_model());
  const Safetensors model = Safetensors::from_file(folder / "model.safetensors");
  std::vector<std::string> names;
  for (const StoredTensor& tensor : model.tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("embedding.weight", "empty", "mask", "position", "scale"));
  EXPECT_EQ(model.metadata(), (SafetensorsMetadata{{"format", "pt"}, {"n", "é"}}));
  EXPECT_EQ(model.at("position").dtype, SafetensorsDtype::kI64);
  EXPECT_THAT(model.at("position").shape, ElementsAre(3));
  EXPECT_EQ(bytes_of(model.at("mask")), "\x51\x58\x5f\x66");  // bytes 48 to 51, 7 i + 1
  EXPECT_EQ(model.at("scale").bytes, 4u);
  EXPECT_EQ(model.at("empty").bytes, 0u);
  EXPECT_EQ(model.find("none"), nullptr);
  EXPECT_EQ(message_of<DataError>([&] { model.at("none"); }),
            (folder / "model.safetensors").string() + ": tensor \"none\" is missing");
}

TEST(Safetensors, ReadsBackWhatItWrites) {
  const Folder folder;
  write_safetensors(folder / "a.safetensors", every_dtype(), kMetadata);
  const Safetensors found = Safetensors::from_file(folder / "a.safetensors");
  expect_same(found, every_dtype());
  EXPECT_EQ(found.metadata(), kMetadata);
  expect_same(Safetensors::from_bytes(slurp(folder / "a.safetensors"), "a"), every_dtype());

  write_safetensors(folder / "none.safetensors", {});
  EXPECT_EQ(slurp(folder / "none.safetensors"), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(Safetensors::from_file(folder / "none.safetensors").tensors().empty());
}

TEST(Safetensors, TheSameTensorsGiveTheSameBytes) {
  const Folder folder;
  std::vector<StoredTensor> tensors = every_dtype();
  write_safetensors(folder / "a", tensors, kMetadata);
  std::reverse(tensors.begin(), tensors.end());
  write_safetensors(folder / "b", tensors, kMetadata);
  EXPECT_EQ(slurp(folder / "a"), slurp(folder / "b"));
}

TEST(Safetensors, TensorsOutliveTheReaderAndTheFile) {
  const Folder folder;
  write_safetensors(folder / "a", every_dtype());
  Safetensors copy = [&] {
    const Safetensors original = Safetensors::from_file(folder / "a");
    return original;
  }();
  const Safetensors second = copy;
  copy = Safetensors::from_bytes(file_of("{}", 0), "other");
  write_safetensors(folder / "a", {});  // replaces, so the mapped bytes stay
  fs::remove(folder / "a");
  expect_same(second, every_dtype());
}

TEST(Safetensors, WritesIntoADirectoryBeingSaved) {
  const Folder folder;
  AtomicDirectory directory(folder / "model", {"model.safetensors"});
  write_safetensors(directory, "model.safetensors", every_dtype());
  EXPECT_THROW(Safetensors::from_directory(folder / "model"), MissingInputError);
  directory.commit();
  expect_same(Safetensors::from_directory(folder / "model"), every_dtype());
}

TEST(Safetensors, RefusesToWriteWhatItWouldNotRead) {
  const Folder folder;
  const auto refusal = [&](std::vector<StoredTensor> tensors,
                           const SafetensorsMetadata& metadata = {}) {
    const std::string message =
        message_of<UsageError>([&] { write_safetensors(folder / "a", tensors, metadata); });
    EXPECT_TRUE(fs::is_empty(folder.path()));
    return message;
  };
  const StoredTensor good = tensor("w", SafetensorsDtype::kF32, {2});
  StoredTensor bad = good;
  EXPECT_EQ(refusal({good, good}), "tensor \"w\": the name is used twice");
  EXPECT_EQ(refusal({good, tensor("w", SafetensorsDtype::kU8, {1})}),
            "tensor \"w\": the name is used twice");
  bad.bytes = 7;
  EXPECT_EQ(refusal({bad}), "tensor \"w\": its shape takes 8 bytes, but it has 7");
  bad = good;
  bad.shape = {-2};
  EXPECT_THAT(refusal({bad}), HasSubstr("the shape has a negative dimension"));
  bad.shape = {int64_t{1} << 62, 4};
  EXPECT_THAT(refusal({bad}), HasSubstr("too large"));
  bad.shape.assign(65, 1);
  EXPECT_THAT(refusal({bad}), HasSubstr("more than 64 dimensions"));
  bad = good;
  bad.data = nullptr;
  EXPECT_THAT(refusal({bad}), HasSubstr("has no data"));
  EXPECT_THAT(refusal({tensor("", SafetensorsDtype::kF32, {2})}), HasSubstr("has no name"));
  EXPECT_THAT(refusal({tensor("__metadata__", SafetensorsDtype::kF32, {2})}),
              HasSubstr("reserved"));
  EXPECT_THAT(refusal({tensor("\xff", SafetensorsDtype::kF32, {2})}), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal({good}, {{"a", "\xff"}}), HasSubstr("not UTF-8"));
}

TEST(Safetensors, SaysWhatIsMissing) {
  const Folder folder;
  EXPECT_THAT(message_of<MissingInputError>([&] { Safetensors::from_directory(folder.path()); }),
              HasSubstr("holds neither model.safetensors nor model.safetensors.index.json"));
  EXPECT_THROW(Safetensors::from_directory(folder / "none"), MissingInputError);
  EXPECT_THROW(Safetensors::from_file(folder / "none"), MissingInputError);
  EXPECT_THROW(Safetensors::from_file(folder.path()), MissingInputError);
  EXPECT_THROW(Safetensors::from_file("/dev/null"), DataError);
}

TEST(Safetensors, ReadsTheTensorsOfTheAttentionCases) {
  const fs::path folder = shared_data("onnx_attention");
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int files = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() != ".safetensors") continue;
    EXPECT_FALSE(Safetensors::from_file(file.path()).tensors().empty());
    ++files;
  }
  EXPECT_GT(files, 20);
}

// ---- Several files

class SafetensorsShards : public testing::Test {
 protected:
  void SetUp() override {
    write_safetensors(
        folder_ / "one.safetensors",
        {tensor("a", SafetensorsDtype::kF32, {2}), tensor("c", SafetensorsDtype::kU8, {5})},
        {{"from", "one"}});
    write_safetensors(folder_ / "two.safetensors", {tensor("b", SafetensorsDtype::kI64, {3})});
    weight_map_ = {{"a", "one.safetensors"}, {"b", "two.safetensors"}, {"c", "one.safetensors"}};
  }
  Safetensors read() {
    spill(folder_ / "model.safetensors.index.json",
          json_text(Json{{"metadata", {{"total_size", 37}}}, {"weight_map", weight_map_}}));
    return Safetensors::from_directory(folder_.path());
  }
  std::string refusal() {
    return message_of<DataError>([&] { read(); });
  }

  Folder folder_;
  Json weight_map_;
};

TEST_F(SafetensorsShards, AreReadAsOneModel) {
  const Safetensors model = read();
  expect_same(model,
              {tensor("a", SafetensorsDtype::kF32, {2}), tensor("b", SafetensorsDtype::kI64, {3}),
               tensor("c", SafetensorsDtype::kU8, {5})});
  EXPECT_EQ(model.tensors()[1].name, "b");
  EXPECT_EQ(model.metadata().at("from"), "one");
  EXPECT_EQ(model.name(), (folder_ / "model.safetensors.index.json").string());
}

TEST_F(SafetensorsShards, MustBePlainNamesInTheDirectory) {
  const Folder elsewhere;
  fs::copy(folder_ / "two.safetensors", elsewhere / "two.safetensors");
  const std::string outside = (elsewhere / "two.safetensors").string();
  const std::string relative = "../" + elsewhere.path().filename().string() + "/two.safetensors";
  for (const std::string& name :
       {outside, relative, std::string("./two.safetensors"), std::string("sub/two.safetensors"),
        std::string("..\\two.safetensors"), std::string(""), std::string("."), std::string(".."),
        std::string("two.safetensors/"), std::string("two.safetensors\0", 16),
        std::string(".two.safetensors"), std::string("two.bin"), std::string("config.json")}) {
    weight_map_["b"] = name;
    EXPECT_THAT(refusal(), HasSubstr("field 'weight_map.b': expected the name of a .safetensors "
                                     "file in the same directory, found"))
        << name;
  }
}

TEST_F(SafetensorsShards, MustAgreeWithTheirIndex) {
  weight_map_["a"] = "two.safetensors";
  EXPECT_THAT(refusal(), HasSubstr("tensor \"a\" of "));
  weight_map_["a"] = "one.safetensors";
  weight_map_["d"] = "two.safetensors";
  EXPECT_THAT(refusal(), HasSubstr("two.safetensors: tensor \"d\" is missing, but "));
  weight_map_.erase("d");
  weight_map_.erase("c");
  EXPECT_THAT(refusal(), HasSubstr("tensor \"c\" of "));
  weight_map_["c"] = "one.safetensors";
  weight_map_["b"] = "none.safetensors";
  EXPECT_THROW(read(), MissingInputError);
  for (const Json& bad : {Json(1), Json(nullptr), Json::array(), Json::object()}) {
    weight_map_["b"] = bad;
    EXPECT_THAT(refusal(), HasSubstr("field 'weight_map.b': expected a string"));
  }
  for (const Json& bad : {Json(1), Json(nullptr), Json::array({"a"}), Json::object()}) {
    weight_map_ = bad;
    EXPECT_THAT(refusal(), HasSubstr("field 'weight_map': expected an object"));
  }
}

TEST_F(SafetensorsShards, OneFileGoesBeforeSeveral) {
  write_safetensors(folder_ / "model.safetensors", {tensor("only", SafetensorsDtype::kU8, {1})});
  EXPECT_EQ(read().tensors().size(), 1u);
}

// ---- The Python package reads what this writes, and this reads what it writes.

TEST(SafetensorsPython, ReadsAndWritesTheSameBytes) {
  const fs::path python = ".venv/bin/python";
  if (!fs::exists(python) ||
      std::system(".venv/bin/python -c 'import safetensors' 2>/dev/null") != 0) {
    GTEST_SKIP() << "no Python package safetensors in .venv; see tools/setup.sh --tests";
  }
  const Folder folder;
  write_safetensors(folder / "ours", every_dtype(), {{"format", "pt"}});
  const std::string command = text_of(".venv/bin/python heed/io/weights/safetensors_check.py ",
                                      folder / "ours", " ", folder / "theirs");
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  EXPECT_EQ(slurp(folder / "theirs"), slurp(folder / "ours"));
  expect_same(Safetensors::from_file(folder / "theirs"), every_dtype());
}

}  // namespace
}  // namespace heed
