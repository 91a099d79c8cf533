#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/text/normalizer.h"

namespace heed::text {
namespace {

NormalizerPointer normalizer_from(std::string_view json) {
  return read_normalizer(parse_json(json, "tokenizer.json", {.max_bytes = 1 << 20}));
}

std::string apply(const Normalizer& normalizer, std::string_view text) {
  std::string result;
  for (const auto tracking : {AlignedText::Tracking::kOff, AlignedText::Tracking::kOn}) {
    AlignedText aligned(text, {0, static_cast<uint32_t>(text.size())}, tracking);
    normalizer.apply(aligned);
    if (tracking == AlignedText::Tracking::kOn) {
      EXPECT_EQ(aligned.text(), result);
    }
    result = aligned.text();
  }
  // Writing a normaliser down and reading it back changes nothing.
  AlignedText again(text, {0, static_cast<uint32_t>(text.size())}, AlignedText::Tracking::kOff);
  normalizer_from(normalizer.to_json().dump())->apply(again);
  EXPECT_EQ(again.text(), result);
  return result;
}

std::string apply(std::string_view json, std::string_view text) {
  return apply(*normalizer_from(json), text);
}

std::string message_of(std::string_view json) {
  try {
    normalizer_from(json);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Normalizers, UnicodeForms) {
  EXPECT_EQ(apply(R"({"type": "NFC"})", "e\u0301 \ufb01"), "\u00e9 \ufb01");
  EXPECT_EQ(apply(R"({"type": "NFD"})", "\u00e9 \ufb01"), "e\u0301 \ufb01");
  EXPECT_EQ(apply(R"({"type": "NFKC"})", "e\u0301 \ufb01"), "\u00e9 fi");
  EXPECT_EQ(apply(R"({"type": "NFKD"})", "\u00e9 \ufb01"), "e\u0301 fi");
}

TEST(Normalizers, Lowercase) {
  EXPECT_EQ(apply(R"({"type": "Lowercase"})", "ABC xyz @[`{"), "abc xyz @[`{");
  EXPECT_EQ(apply(R"({"type": "Lowercase"})", "ÀΣΑΣ Ж\u0130K"), "àσασ жi\u0307k");
}

TEST(Normalizers, StripAccentsDoesNotDecompose) {
  EXPECT_EQ(apply(R"({"type": "StripAccents"})", "\u00e9e\u0301x\u0903"), "\u00e9ex");
}

TEST(Normalizers, Strip) {
  EXPECT_EQ(apply(R"({"type": "Strip"})", "\u3000 a b\t\n"), "a b");
  EXPECT_EQ(apply(R"({"type": "Strip", "strip_left": false, "strip_right": true})", " a "), " a");
  EXPECT_EQ(apply(R"({"type": "Strip", "strip_left": true, "strip_right": false})", " a "), "a ");
  EXPECT_EQ(apply(R"({"type": "Strip"})", " \u00a0 "), "");
  EXPECT_EQ(apply(R"({"type": "Strip"})", ""), "");
}

TEST(Normalizers, Bert) {
  EXPECT_EQ(apply(R"({"type": "BertNormalizer"})", "Caf\u00e9\u0001\u00a0中文\uFFFD\tX"),
            "cafe  中  文  x");
  EXPECT_EQ(apply(R"({"type": "BertNormalizer", "clean_text": false, "lowercase": false,
                      "handle_chinese_chars": false, "strip_accents": null})",
                  "Caf\u00e9\t中"),
            "Caf\u00e9\t中");
  EXPECT_EQ(apply(R"({"type": "BertNormalizer", "strip_accents": false})", "CAF\u00c9"),
            "caf\u00e9");
  EXPECT_EQ(apply(R"({"type": "BertNormalizer", "lowercase": false, "strip_accents": true})",
                  "CAF\u00c9"),
            "CAFE");
}

TEST(Normalizers, Replace) {
  const char* json = R"({"type": "Replace", "pattern": {"String": "``"}, "content": "\""})";
  EXPECT_EQ(apply(json, "``a````b`"), "\"a\"\"b`");
  EXPECT_EQ(apply(json, ""), "");
}

TEST(Normalizers, Sequence) {
  EXPECT_EQ(apply(R"({"type": "Sequence", "normalizers": [{"type": "NFD"},
                      {"type": "StripAccents"}, {"type": "Lowercase"}]})",
                  "\u00c9A"),
            "ea");
  EXPECT_EQ(apply(R"({"type": "Sequence", "normalizers": []})", "A"), "A");
}

TEST(Normalizers, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(message_of(R"({"type": "Romanized"})"),
              testing::AllOf(testing::HasSubstr("tokenizer.json"), testing::HasSubstr("type"),
                             testing::HasSubstr("Romanized"), testing::HasSubstr("NFKD")));
  EXPECT_THAT(message_of(R"({"type": "Sequence", "normalizers": [{"type": "Nfc"}]})"),
              testing::HasSubstr("normalizers[0].type"));
  EXPECT_NE(message_of(R"({"type": "Lowercase", "language": "tr"})"), "accepted");
  EXPECT_NE(message_of(R"({"type": "Strip", "strip_left": 1})"), "accepted");
  EXPECT_NE(message_of(R"({"type": "Replace", "pattern": {"Regex": "(a"}, "content": ""})"),
            "accepted");
  EXPECT_EQ(message_of(R"({"type": "Replace", "pattern": {"Regex": "a*"}, "content": ""})"),
            "accepted");
  EXPECT_NE(message_of(R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})"),
            "accepted");
  EXPECT_NE(message_of(R"("Lowercase")"), "accepted");
  EXPECT_NE(message_of("{}"), "accepted");
  EXPECT_NE(message_of("null"), "accepted");
}

TEST(Normalizers, ByName) {
  EXPECT_EQ(apply(*normalizer_named("Lowercase"), "A"), "a");
  EXPECT_THROW(normalizer_named("lowercase"), UsageError);
}

}  // namespace
}  // namespace heed::text
