// Files that must be refused, each with the part of the message that says why.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/testing/safetensors_samples.h"
#include "heed/io/testing/test_files.h"
#include "heed/io/weights/safetensors.h"

namespace heed {
namespace {

using test::entry;
using test::file_of;
using test::file_with_length;
using test::Folder;
using test::message_of;
using test::spill;
using testing::HasSubstr;

struct Bad {
  std::string name;
  std::string bytes;
  std::string message;  // a part of it
};

// One tensor "w", F32 [2], that takes the 8 bytes of data, with one part replaced.
std::string with_dtype(const std::string& dtype) {
  return file_of(R"({"w":{"dtype":)" + dtype + R"(,"shape":[2],"data_offsets":[0,8]}})", 8);
}
std::string with_shape(const std::string& shape, const std::string& dtype = "F32") {
  return file_of("{" + entry("w", dtype, shape, "[0,8]") + "}", 8);
}
std::string with_offsets(const std::string& offsets, size_t data_bytes = 8) {
  return file_of("{" + entry("w", "F32", "[2]", offsets) + "}", data_bytes);
}
std::string with_metadata(const std::string& metadata) {
  return file_of("{\"__metadata__\":" + metadata + "}", 0);
}
std::string two(const std::string& a, const std::string& b, size_t data_bytes) {
  return file_of("{" + entry("a", "F32", "[2]", a) + "," + entry("b", "F32", "[2]", b) + "}",
                 data_bytes);
}
std::string text(const std::string& header) { return file_of(header, 8); }

void add(std::vector<Bad>& all, std::vector<Bad> some) {
  for (Bad& bad : some) all.push_back(std::move(bad));
}

std::vector<Bad> bad_lengths() {
  return {
      {"an empty file", "", "holds 0 bytes, too short"},
      {"one byte", "\x08", "holds 1 bytes, too short"},
      {"a length and nothing else", file_with_length(2, ""), "holds 8 bytes, too short"},
      {"seven bytes", std::string(7, '\0'), "too short"},
      {"a header of no bytes", file_with_length(0, "{}"), "header: expected { at its start"},
      {"a header longer than the file", file_with_length(3, "{}"),
       "header length: 3 bytes, but only 2"},
      {"a header over the limit", file_with_length(100'000'001, "{}"),
       "more than the limit of 100000000"},
      {"a header at the limit, cut off", file_with_length(100'000'000, "{}"),
       "the file was cut off"},
      {"the largest length", file_with_length(UINT64_MAX, "{}"),
       "header length: 18446744073709551615"},
      {"a length that wraps to 0", file_with_length(UINT64_MAX - 7, "{}"), "more than the limit"},
      {"a length beyond 2^63", file_with_length(uint64_t{1} << 63, "{}"), "more than the limit"},
      {"a length of 2^32", file_with_length(uint64_t{1} << 32, "{}"), "more than the limit"},
      {"a big-endian length", std::string("\0\0\0\0\0\0\0\x02{}", 10), "more than the limit"},
      {"a length that ends inside the header", file_with_length(1, "{}"), "not valid JSON"},
      {"a length that reaches into the data", file_with_length(10, "{}      \x01\x02"),
       "not valid JSON"},
      {"a zip file", "PK\x03\x04\x14\0\0\0\0\0\0\0", "holds 5 bytes, too short"},
      {"a torch file", std::string("PK\x03\x04\0\0\x08\x08\0\0\0\0", 12),
       "is this a safetensors file?"},
      {"a gzip file", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03\0\0", 12),
       "is this a safetensors file?"},
      {"JSON without a length", R"({"w": {"dtype": "F32"}})", "is this a safetensors file?"},
      {"a git LFS pointer", "version https://git-lfs.github.com/spec/v1\n",
       "is this a safetensors file?"},
      {"a web page", "<!DOCTYPE html><html></html>", "is this a safetensors file?"},
  };
}

std::vector<Bad> bad_json() {
  return {
      {"not an object: array", text("[]"), "header: expected {"},
      {"not an object: text", text("\"a\""), "header: expected {"},
      {"not an object: number", text("1"), "header: expected {"},
      {"not an object: null", text("null"), "header: expected {"},
      {"space before the header", text(" {}"), "header: expected {"},
      {"a byte order mark", text("\xef\xbb\xbf{}"), "header: expected {"},
      {"an open object", text("{"), "header: byte"},
      {"no colon", text(R"({"w"})"), "not valid JSON"},
      {"a comma too many", text("{" + entry("w", "F32", "[2]", "[0,8]") + ",}"), "not valid JSON"},
      {"a comma missing", text(R"({"w":{"dtype":"F32" "shape":[2]}})"), "not valid JSON"},
      {"single quotes", text("{'w':{}}"), "not valid JSON"},
      {"a comment", text("{/* c */}"), "not valid JSON"},
      {"something after the header", text("{} x"), "not valid JSON"},
      {"a second object", text("{}{}"), "not valid JSON"},
      {"a NUL after the header", file_of(std::string("{}\0\0", 4), 0), "a NUL byte"},
      {"a NUL in a name", file_of(std::string("{\"a\0b\":{}}", 10), 0), "a NUL byte"},
      {"a name that is not UTF-8", text("{\"\xff\":{}}"), "ill-formed UTF-8"},
      {"a name with an overlong form", text("{\"\xc0\xaf\":{}}"), "ill-formed UTF-8"},
      {"a name with a surrogate", text("{\"\xed\xa0\x80\":{}}"), "ill-formed UTF-8"},
      {"a name with half a surrogate pair", text(R"({"\ud800":{}})"), "surrogate"},
      {"a name with a line break", text("{\"a\nb\":{}}"), "not valid JSON"},
      {"a name cut off", text("{\"abc"), "not valid JSON"},
      {"NaN in the shape", with_shape("[NaN]"), "not valid JSON"},
      {"Infinity in the shape", with_shape("[Infinity]"), "not valid JSON"},
      {"a number beyond all numbers", with_shape("[1e999]"), "number overflow"},
      {"a number with a leading zero", with_shape("[02]"), "not valid JSON"},
      {"a hexadecimal number", with_shape("[0x2]"), "not valid JSON"},
      {"deep arrays", text("{\"w\":" + std::string(100000, '[')),
       "tensor \"w\": expected an object, found an array"},
      {"deep arrays in the shape", with_shape(std::string(1000, '[') + std::string(1000, ']')),
       "found an array"},
      {"deep objects", text([] {
         std::string deep;
         for (int i = 0; i < 100; ++i) deep += "{\"w\":";
         return deep;
       }()),
       "tensor \"w\": unknown field \"w\""},
      {"deep objects in the metadata", with_metadata(R"({"a":{"a":{"a":1}}})"),
       "expected a string, found an object"},
  };
}

std::vector<Bad> bad_entries() {
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const auto with = [&](const std::string& more) { return text("{\"w\":{" + good + more + "}}"); };
  return {
      {"a tensor twice",
       text("{" + entry("w", "F32", "[2]", "[0,8]") + "," + entry("w", "F32", "[2]", "[0,8]") +
            "}"),
       "header: key \"w\" appears twice"},
      {"a tensor twice, escaped",
       text("{" + entry("w", "F32", "[1]", "[0,4]") + "," +
            entry("\\u0077", "F32", "[1]", "[4,8]") + "}"),
       "header: key \"w\" appears twice"},
      {"a dtype twice", with(R"(,"dtype":"F32")"), "tensor \"w\": key \"dtype\" appears twice"},
      {"a shape twice", with(R"(,"shape":[2])"), "tensor \"w\": key \"shape\" appears twice"},
      {"offsets twice", with(R"(,"data_offsets":[0,8])"),
       "tensor \"w\": key \"data_offsets\" appears twice"},
      {"an unknown field", with(R"(,"strides":[1])"), "tensor \"w\": unknown field \"strides\""},
      {"a field in capitals", text(R"({"w":{"Dtype":"F32"}})"), "unknown field \"Dtype\""},
      {"no fields", text(R"({"w":{}})"), "tensor \"w\": field 'dtype' is missing"},
      {"no dtype", text(R"({"w":{"shape":[2],"data_offsets":[0,8]}})"), "field 'dtype' is missing"},
      {"no shape", text(R"({"w":{"dtype":"F32","data_offsets":[0,8]}})"),
       "field 'shape' is missing"},
      {"no field of offsets", text(R"({"w":{"dtype":"F32","shape":[2]}})"),
       "field 'data_offsets' is missing"},
      {"an empty name", text("{" + entry("", "F32", "[2]", "[0,8]") + "}"),
       "a tensor has an empty name"},
      {"a tensor that is null", text(R"({"w":null})"),
       "tensor \"w\": expected an object, found null"},
      {"a tensor that is a number", text(R"({"w":1})"), "expected an object, found 1"},
      {"a tensor that is text", text(R"({"w":"F32"})"), "expected an object, found \"F32\""},
      {"a tensor that is true", text(R"({"w":true})"), "expected an object, found true"},
      {"a tensor that is an array", text(R"({"w":["F32",[2],[0,8]]})"),
       "expected an object, found an array"},
      {"an unknown dtype", with_dtype("\"F31\""), "field 'dtype': expected one of BOOL"},
      {"a dtype in small letters", with_dtype("\"f32\""), "found \"f32\""},
      {"a dtype of torch", with_dtype("\"float32\""), "found \"float32\""},
      {"an empty dtype", with_dtype("\"\""), "found \"\""},
      {"a dtype with a space", with_dtype("\"F32 \""), "found \"F32 \""},
      {"a complex dtype", with_dtype("\"C64\""), "found \"C64\""},
      {"a four-bit dtype", with_dtype("\"F4\""), "found \"F4\""},
      {"a dtype that is a number", with_dtype("32"), "field 'dtype': expected one of"},
      {"a dtype that is null", with_dtype("null"), "field 'dtype': expected one of"},
      {"a dtype that is an array", with_dtype("[\"F32\"]"), "found an array"},
      {"a dtype that is an object", with_dtype("{}"), "found an object"},
      {"a dtype as long as the file", with_dtype("\"" + std::string(100000, 'x') + "\""), "x...\""},
      {"a dtype that attacks the terminal", with_dtype("\"\\u001b[2J\""), "found \"\\x1b[2J\""},
  };
}

std::vector<Bad> bad_shapes() {
  std::string rank = "[1";
  for (int i = 0; i < 64; ++i) rank += ",1";
  return {
      {"a negative dimension", with_shape("[-2]"),
       "field 'shape': expected at most 64 integers from 0 to 2^63 - 1, found -2"},
      {"two negative dimensions", with_shape("[-1,-2]"), "found -1"},
      {"the most negative dimension", with_shape("[-9223372036854775808]"),
       "found -9223372036854775808"},
      {"a fractional dimension", with_shape("[2.0]"), "found \"2.0\""},
      {"a dimension as a power", with_shape("[2e0]"), "found \"2e0\""},
      {"a dimension that is text", with_shape("[\"2\"]"), "found \"2\""},
      {"a dimension that is null", with_shape("[null]"), "found null"},
      {"a dimension that is true", with_shape("[true]"), "found true"},
      {"a dimension that is an object", with_shape("[{}]"), "found an object"},
      {"a nested dimension", with_shape("[[2]]"), "found an array"},
      {"a shape that is a number", with_shape("2"), "field 'shape'"},
      {"a shape that is text", with_shape("\"[2]\""), "field 'shape'"},
      {"a shape that is null", with_shape("null"), "field 'shape'"},
      {"a shape that is an object", with_shape("{}"), "found an object"},
      {"too many dimensions", with_shape(rank + "]"), "found more than 64"},
      {"a dimension of 2^63", with_shape("[9223372036854775808]"), "found 9223372036854775808"},
      {"a dimension of 2^64", with_shape("[18446744073709551616]"),
       "found \"18446744073709551616\""},
      {"a product that wraps to 8 bytes", with_shape("[4611686018427387904,4,2]"),
       "is more than 2^63 bytes"},
      {"a product that wraps to 2", with_shape("[9223372036854775807,9223372036854775807,2]"),
       "is more than 2^63 bytes"},
      {"2^32 squared", with_shape("[4294967296,4294967296]"), "is more than 2^63 bytes"},
      {"bytes that overflow", with_shape("[2305843009213693952]"), "is more than 2^63 bytes"},
      {"bytes that overflow for eight-byte elements", with_shape("[1152921504606846977]", "F64"),
       "is more than 2^63 bytes"},
      {"overflow hidden behind a zero", with_shape("[0,4294967296,4294967296,4294967296]"),
       "is more than 2^63 bytes"},
      {"overflow hidden before a zero", with_shape("[4294967296,4294967296,4294967296,0]"),
       "is more than 2^63 bytes"},
      {"a terabyte in a small file", with_shape("[274877906944]"),
       "field 'data_offsets': 8 bytes, but F32 [274877906944] takes 1099511627776"},
      {"more elements than bytes", with_shape("[3]"), "8 bytes, but F32 [3] takes 12"},
      {"fewer elements than bytes", with_shape("[1]"), "8 bytes, but F32 [1] takes 4"},
      {"a scalar of two elements", with_shape("[]"), "8 bytes, but F32 [] takes 4"},
      {"an empty tensor with bytes", with_shape("[0]"), "8 bytes, but F32 [0] takes 0"},
      {"a dtype too wide", with_shape("[2]", "F64"), "8 bytes, but F64 [2] takes 16"},
      {"a dtype too narrow", with_shape("[2]", "BF16"), "8 bytes, but BF16 [2] takes 4"},
  };
}

std::vector<Bad> bad_ranges() {
  const std::string small = "{" + entry("a", "U8", "[3]", "[0,3]") + ",";
  return {
      {"an end outside the file", with_offsets("[0,16]"),
       "ends at 16, but the file has 8 bytes of data"},
      {"an end one byte outside", with_offsets("[1,9]"), "ends at 9"},
      {"a range outside the file", with_offsets("[100,108]"), "ends at 108"},
      {"the largest end", with_offsets("[0,9223372036854775807]"), "ends at 9223372036854775807"},
      {"an end of 2^63", with_offsets("[0,9223372036854775808]"),
       "expected two integers, found 9223372036854775808"},
      {"an end of 2^64 + 8", with_offsets("[0,18446744073709551624]"),
       "found \"18446744073709551624\""},
      {"a range that wraps", with_offsets("[18446744073709551608,0]"),
       "found 18446744073709551608"},
      {"a negative begin", with_offsets("[-8,0]"),
       "field 'data_offsets': expected two integers, found -8"},
      {"a negative end", with_offsets("[0,-8]"), "found -8"},
      {"a range backwards", with_offsets("[8,0]"), "begins at 8, after its end 0"},
      {"one offset", with_offsets("[8]"), "expected two integers, found 1"},
      {"no offsets", with_offsets("[]"), "expected two integers, found 0"},
      {"three offsets", with_offsets("[0,4,8]"), "found more than 2"},
      {"a fractional offset", with_offsets("[0,8.0]"), "found \"8.0\""},
      {"an offset that is text", with_offsets("[0,\"8\"]"), "found \"8\""},
      {"an offset that is null", with_offsets("[null,8]"), "found null"},
      {"offsets that are an object", with_offsets("{\"begin\":0}"), "found an object"},
      {"offsets that are a number", with_offsets("8"), "found 8"},
      {"a hole at the start", with_offsets("[8,16]", 16), "8 bytes before it belong to no tensor"},
      {"bytes after the last tensor", with_offsets("[0,8]", 9),
       "the last 1 bytes belong to no tensor"},
      {"data without tensors", text("{}"), "the last 8 bytes belong to no tensor"},
      {"the same range twice", two("[0,8]", "[0,8]", 8),
       "tensor \"b\": field 'data_offsets': overlaps tensor \"a\""},
      {"ranges that overlap", two("[0,8]", "[4,12]", 12),
       "tensor \"b\": field 'data_offsets': overlaps tensor \"a\""},
      {"ranges that overlap, in the other order", two("[4,12]", "[0,8]", 12),
       "tensor \"a\": field 'data_offsets': overlaps tensor \"b\""},
      {"a hole between two", two("[0,8]", "[12,20]", 20), "4 bytes before it belong to no tensor"},
      {"an empty tensor inside another",
       file_of(
           "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("e", "F32", "[0]", "[4,4]") + "}",
           8),
       "tensor \"e\": field 'data_offsets': overlaps"},
      {"an empty tensor outside the file",
       file_of("{" + entry("e", "F32", "[0]", "[4,4]") + "}", 0), "ends at 4"},
      {"misaligned four-byte elements", file_of(small + entry("b", "F32", "[1]", "[3,7]") + "}", 7),
       "misaligned: F32 data at byte"},
      {"misaligned two-byte elements", file_of(small + entry("b", "BF16", "[1]", "[3,5]") + "}", 5),
       "misaligned: BF16"},
      {"misaligned eight-byte elements",
       file_of(
           "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "I64", "[1]", "[4,12]") + "}",
           12),
       "misaligned: I64"},
      {"a header that misaligns its data",
       file_of("{" + entry("ww", "F32", "[10]", "[0,40]") + "}", 40, false), "misaligned: F32"},
  };
}

std::vector<Bad> bad_metadata() {
  return {
      {"metadata that is null", with_metadata("null"),
       "field '__metadata__': expected an object, found null"},
      {"metadata that is text", with_metadata("\"pt\""),
       "field '__metadata__': expected an object, found \"pt\""},
      {"metadata that is an array", with_metadata("[]"),
       "field '__metadata__': expected an object, found an array"},
      {"a metadata number", with_metadata(R"({"format":1})"),
       "key \"format\": expected a string, found 1"},
      {"metadata null inside", with_metadata(R"({"format":null})"),
       "key \"format\": expected a string, found null"},
      {"metadata array inside", with_metadata(R"({"format":["pt"]})"),
       "key \"format\": expected a string, found an array"},
      {"metadata that is a tensor",
       with_metadata(R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})"),
       "key \"shape\": expected a string, found an array"},
      {"a metadata key twice", with_metadata(R"({"a":"1","a":"1"})"),
       "field '__metadata__': key \"a\" appears twice"},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})", 0),
       "header: key \"__metadata__\" appears twice"},
  };
}

std::vector<Bad> all_bad() {
  std::vector<Bad> all = bad_lengths();
  add(all, bad_json());
  add(all, bad_entries());
  add(all, bad_shapes());
  add(all, bad_ranges());
  add(all, bad_metadata());
  return all;
}

TEST(SafetensorsBad, IsRefusedWithItsReason) {
  const Folder folder;
  std::set<std::string> names;
  std::set<std::string> contents;
  for (const Bad& bad : all_bad()) {
    SCOPED_TRACE(bad.name);
    EXPECT_TRUE(names.insert(bad.name).second);
    EXPECT_TRUE(contents.insert(bad.bytes).second) << "the same file as another";
    const std::string from_memory =
        message_of<DataError>([&] { Safetensors::from_bytes(bad.bytes, "bad.safetensors"); });
    EXPECT_THAT(from_memory, HasSubstr(bad.message));
    EXPECT_THAT(from_memory, testing::StartsWith("bad.safetensors: "));
    spill(folder / "bad.safetensors", bad.bytes);
    const std::string from_disk =
        message_of<DataError>([&] { Safetensors::from_file(folder / "bad.safetensors"); });
    EXPECT_EQ(from_disk, (folder.path() / from_memory).string());
  }
  EXPECT_GE(contents.size(), 140u);
}

// The samples above differ from these by what they are named for alone.
TEST(SafetensorsBad, TheirGoodTwinsAreAccepted) {
  const auto accept = [](const std::string& bytes) { Safetensors::from_bytes(bytes, "good"); };
  EXPECT_NO_THROW(accept(with_dtype("\"F32\"")));
  EXPECT_NO_THROW(accept(with_shape("[2]")));
  EXPECT_NO_THROW(accept(with_shape("[2,1,1]")));
  EXPECT_NO_THROW(accept(with_shape("[1]", "F64")));
  EXPECT_NO_THROW(accept(with_offsets("[0,8]")));
  EXPECT_NO_THROW(accept(two("[0,8]", "[8,16]", 16)));
  EXPECT_NO_THROW(accept(two("[8,16]", "[0,8]", 16)));
  EXPECT_NO_THROW(accept(with_metadata(R"({"a":"1","b":""})")));
  EXPECT_NO_THROW(accept(file_of("{}", 0)));
  EXPECT_NO_THROW(accept(file_of("{" + entry("e", "F32", "[0]", "[0,0]") + "}", 0)));
}

}  // namespace
}  // namespace heed
