#include "heed/io/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <nlohmann/json.hpp>

#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

using test::Folder;
using test::message_of;
using test::spill;
using testing::HasSubstr;
using namespace std::string_view_literals;

JsonValue parse(std::string_view text) { return parse_json(text, "config.json", {1 << 20}); }
std::string refusal(std::string_view text) {
  return message_of<DataError>([&] { parse(text); });
}

TEST(Json, ReadsEveryKindOfValue) {
  const JsonValue value =
      parse(R"({"a": [1, -2, 3.5, true, false, null], "b": {"c": "é\ud83d\ude00"},
                                    "big": 18446744073709551615, "e": [], "o": {}, "": 1})");
  EXPECT_EQ(value.at("a").array_size(), 6u);
  EXPECT_EQ(value.at("a").at(1).integer(), -2);
  EXPECT_EQ(value.at("a").at(2).number(), 3.5);
  EXPECT_EQ(value.at("a").at(0).number(), 1.0);
  EXPECT_TRUE(value.at("a").at(3).boolean());
  EXPECT_TRUE(value.at("a").at(5).is_null());
  EXPECT_EQ(value.at("b").at("c").string(), "é\U0001F600");
  EXPECT_EQ(value.at("b").at("c").path(), "b.c");
  EXPECT_EQ(value.at("a").at(1).path(), "a[1]");
  EXPECT_EQ(value.at("big").json().get<uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(value.json(), Json::parse(value.json().dump()));
}

TEST(Json, ValuesOutliveTheDocument) {
  const JsonValue inner = [] { return parse(R"({"a": {"b": ["x"]}})").at("a").at("b"); }();
  EXPECT_EQ(inner.strings(), std::vector<std::string>{"x"});
  EXPECT_THAT(message_of<DataError>([&] { inner.at(0).integer(); }),
              "config.json: field 'a.b[0]': expected an integer, found \"x\"");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const auto text :
       {""sv,        " "sv,        "{"sv,          "}"sv,       "[1"sv,       "[1,]"sv,
        "{\"a\"}"sv, "{\"a\":}"sv, "{\"a\":1,}"sv, "{a:1}"sv,   "{'a':1}"sv,  "nul"sv,
        "tru"sv,     "01"sv,       "1."sv,         ".5"sv,      "+1"sv,       "1e"sv,
        "-"sv,       "0x10"sv,     "\"a"sv,        "\"\n\""sv,  "\"\\x\""sv,  "\"\\u12\""sv,
        "1 2"sv,     "{} {}"sv,    "[1] x"sv,      "// c\n1"sv, "[1] // c"sv, "/* c */ 1"sv}) {
    EXPECT_THAT(refusal(text),
                testing::MatchesRegex("config.json: byte [0-9]+: not valid JSON: .*"))
        << text;
  }
}

TEST(Json, RefusesWhatLibrariesOftenLetThrough) {
  EXPECT_THAT(refusal("NaN"), HasSubstr("byte 1: not valid JSON"));
  EXPECT_THAT(refusal("[Infinity]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("-Infinity"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("number overflow parsing \"1e999\""));
  EXPECT_THAT(refusal("[-1e999]"), HasSubstr("number overflow"));
  EXPECT_THAT(refusal("\"\xff\""), HasSubstr("ill-formed UTF-8"));
  EXPECT_THAT(refusal("\"\xc0\x80\""), HasSubstr("ill-formed UTF-8"));
  EXPECT_THAT(refusal("\"\xed\xa0\x80\""), HasSubstr("ill-formed UTF-8"));
  EXPECT_THAT(refusal(R"("\ud800")"), HasSubstr("surrogate"));
  EXPECT_THAT(refusal(R"("\udc00")"), HasSubstr("surrogate"));
  EXPECT_THAT(refusal("\xef\xbb\xbf{}"), HasSubstr("byte 1: a byte order mark"));
  EXPECT_THAT(refusal("{}\0garbage"sv), HasSubstr("byte 3: not valid JSON: a NUL byte"));
  EXPECT_THAT(refusal("\"a\0b\""sv), HasSubstr("a NUL byte"));
}

TEST(Json, RefusesAKeyThatAppearsTwice) {
  EXPECT_EQ(refusal(R"({"a": 1, "b": 2, "a": 1})"), "config.json: key \"a\" appears twice");
  EXPECT_EQ(refusal(R"({"m": {"v": [0, {"x": 1, "x": 2}]}})"),
            "config.json: field 'm.v[1]': key \"x\" appears twice");
  EXPECT_EQ(refusal(R"({"a": 1, "\u0061": 1})"), "config.json: key \"a\" appears twice");
  EXPECT_NO_THROW(parse(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]})"));
}

TEST(Json, RefusesMoreThanTheDepth) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_NO_THROW(parse(nested(64)));
  EXPECT_THAT(refusal(nested(65)), HasSubstr("more than 64 nested levels"));
  EXPECT_THAT(refusal(std::string(1 << 20, '[')), HasSubstr("more than 64 nested levels"));
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += R"({"a":)";
  EXPECT_THAT(refusal(objects), HasSubstr("more than 64 nested levels"));
  EXPECT_THAT(message_of<DataError>([] {
                parse_json("[[1]]", "f", {100, 1});
              }),
              HasSubstr("more than 1 nested levels"));
}

TEST(Json, RefusesMoreThanTheSize) {
  EXPECT_NO_THROW(parse_json("[10]", "f", {4}));
  EXPECT_EQ(message_of<DataError>([] { parse_json("[100]", "f", {4}); }),
            "f: holds 5 bytes of JSON, at most 4 expected");
  const Folder folder;
  spill(folder / "a.json", "[100]");
  EXPECT_EQ(read_json(folder / "a.json", {5}).at(0).integer(), 100);
  EXPECT_EQ(message_of<DataError>([&] { read_json(folder / "a.json", {4}); }),
            (folder / "a.json").string() + ": holds more than the 4 bytes expected");
  EXPECT_THROW(read_json(folder / "b.json", {4}), MissingInputError);
}

TEST(Json, ErrorsStayShortWhateverTheFileHolds) {
  EXPECT_LT(refusal("\"" + std::string(1 << 19, 'x')).size(), 300u);
  EXPECT_LT(refusal(std::string(1 << 19, '1')).size(), 300u);
  EXPECT_LT(refusal("{\"" + std::string(1 << 18, 'x') + "\": NaN}").size(), 300u);
  EXPECT_EQ(refusal("[\"\x1b\"]").find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal("[\"a\xff\"]").find('\xff'), std::string::npos);
}

TEST(Json, TypedFieldsSayWhatWasExpected) {
  const JsonValue value = parse(R"({"heads": "four", "width": 0, "rate": 1.5, "list": [1, "x"],
      "big": 18446744073709551615, "whole": 3.0, "null": null, "odd key": {"a.b": 1}, "flag": 1})");
  const auto error = [](auto&& run) { return message_of<DataError>(run); };
  EXPECT_EQ(error([&] { value.at("heads").integer({.least = 1, .most = 1024}); }),
            "config.json: field 'heads': expected an integer from 1 to 1024, found \"four\"");
  EXPECT_EQ(error([&] { value.at("width").integer({.least = 1}); }),
            "config.json: field 'width': expected an integer of at least 1, found 0");
  EXPECT_EQ(
      error([&] { value.at("big").integer({.most = 9}); }),
      "config.json: field 'big': expected an integer of at most 9, found 18446744073709551615");
  EXPECT_EQ(error([&] { value.at("big").integer(); }),
            "config.json: field 'big': expected an integer, found 18446744073709551615");
  EXPECT_EQ(error([&] { value.at("whole").integer(); }),
            "config.json: field 'whole': expected an integer, found 3.0");
  EXPECT_EQ(error([&] { value.at("rate").number({.least = 0, .most = 1}); }),
            "config.json: field 'rate': expected a number from 0 to 1, found 1.5");
  EXPECT_EQ(error([&] { value.at("heads").number(); }),
            "config.json: field 'heads': expected a number, found \"four\"");
  EXPECT_EQ(error([&] { value.at("list").integers(); }),
            "config.json: field 'list[1]': expected an integer, found \"x\"");
  EXPECT_EQ(error([&] { value.at("list").strings(); }),
            "config.json: field 'list[0]': expected a string, found 1");
  EXPECT_EQ(error([&] { value.at("list").at(2); }),
            "config.json: field 'list': expected an array of more than 2, found an array of 2");
  EXPECT_EQ(error([&] { value.at("list").at("x"); }),
            "config.json: field 'list': expected an object, found an array of 2");
  EXPECT_EQ(error([&] { value.at("heads").has("x"); }),
            "config.json: field 'heads': expected an object, found \"four\"");
  EXPECT_EQ(error([&] { value.at("none"); }), "config.json: field 'none' is missing");
  EXPECT_EQ(error([&] { value.at("odd key").at("x"); }),
            "config.json: field '[\"odd key\"].x' is missing");
  EXPECT_EQ(error([&] { value.at("odd key").at("a.b").string(); }),
            "config.json: field '[\"odd key\"][\"a.b\"]': expected a string, found 1");
  EXPECT_EQ(error([&] { value.at("odd key").integer(); }),
            "config.json: field '[\"odd key\"]': expected an integer, found an object with 1 key");
  EXPECT_EQ(error([&] { value.at("flag").boolean(); }),
            "config.json: field 'flag': expected true or false, found 1");
  EXPECT_EQ(error([&] { value.at("null").string(); }),
            "config.json: field 'null': expected a string, found null");
  EXPECT_EQ(error([&] { value.integer(); }),
            "config.json: expected an integer, found an object with 9 keys");
}

TEST(Json, RangesHoldTheirEnds) {
  const JsonValue value =
      parse(R"({"i": 4, "least": -9223372036854775808, "most": 9223372036854775807})");
  EXPECT_EQ(value.at("i").integer({.least = 4, .most = 4}), 4);
  EXPECT_EQ(value.at("i").number({.least = 4, .most = 4}), 4);
  EXPECT_EQ(value.at("least").integer(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(value.at("most").integer(), std::numeric_limits<int64_t>::max());
}

TEST(Json, HasMeansThereAndNotNull) {
  const JsonValue value = parse(R"({"a": null, "b": 0})");
  EXPECT_FALSE(value.has("a"));
  EXPECT_TRUE(value.has("b"));
  EXPECT_FALSE(value.has("c"));
}

TEST(Json, OneOfAndKnownKeys) {
  enum class Norm { kPre, kPost };
  const JsonValue value = parse(R"({"norm": "post", "other": "mid", "number": 1})");
  const auto norm = [&](std::string_view key) {
    return value.at(key).one_of<Norm>({{"pre", Norm::kPre}, {"post", Norm::kPost}});
  };
  EXPECT_EQ(norm("norm"), Norm::kPost);
  EXPECT_EQ(message_of<DataError>([&] { norm("other"); }),
            "config.json: field 'other': expected one of \"pre\" \"post\", found \"mid\"");
  EXPECT_THROW(norm("number"), DataError);
  EXPECT_NO_THROW(value.check_keys({"number", "norm", "other"}));
  EXPECT_EQ(message_of<DataError>([&] {
              value.check_keys({"norm", "other"});
            }),
            "config.json: field 'number' is not known here; known are norm, other");
}

TEST(Json, WritesWhatItReads) {
  OrderedJson value;
  value["z"] = 1;
  value["a"] = {1.5, "é\n", nullptr, true};
  EXPECT_EQ(json_text(value),
            "{\n  \"z\": 1,\n  \"a\": [\n    1.5,\n    \"é\\n\",\n    null,\n    true\n  ]\n}\n");
  EXPECT_EQ(parse(json_text(value)).at("a").at(1).string(), "é\n");
  EXPECT_THROW(json_text(Json(std::nan(""))), UsageError);
  EXPECT_THROW(json_text(Json{{"a", {1, HUGE_VAL}}}), UsageError);
  EXPECT_THROW(json_text(Json("\xff")), UsageError);
  EXPECT_THROW(json_text(Json{{"\xff", 1}}), UsageError);
}

TEST(Json, NumbersKeepTheirBits) {
  for (const double number : {0.1, 1e-300, 1.7976931348623157e308, 5e-324, -0.0, 1.0 / 3}) {
    EXPECT_EQ(parse(json_text(Json(number))).number(), number);
  }
}

}  // namespace
}  // namespace heed
