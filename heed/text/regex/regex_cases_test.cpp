// What Split makes of regular expressions is what the `tokenizers` package makes of them:
// testdata/cases.jsonl, written by tools/regex_oracle.py.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/io/testing/test_files.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

// "merged_with_next inverted"
PreTokenizerPointer split_named(const std::string& regex, const std::string& how) {
  const std::string behavior = how.substr(0, how.find(' '));
  std::string camel;
  for (size_t i = 0; i < behavior.size(); ++i) {
    if (behavior[i] == '_') ++i;
    const bool first = i == 0 || behavior[i - 1] == '_';
    camel += static_cast<char>(first ? behavior[i] - 'a' + 'A' : behavior[i]);
  }
  return read_pre_tokenizer(JsonValue({{"type", "Split"},
                                       {"pattern", {{"Regex", regex}}},
                                       {"behavior", camel},
                                       {"invert", how != behavior}},
                                      "case"));
}

std::vector<std::string> pieces_of(const PreTokenizer& pre_tokenizer, const std::string& text) {
  const auto size = static_cast<uint32_t>(text.size());
  SplitText split = {AlignedText(text, {0, size}, AlignedText::Tracking::kOff), {{{0, size}}}};
  pre_tokenizer.apply(split);
  std::vector<std::string> pieces;
  for (const Piece& piece : split.pieces) {
    pieces.push_back(text.substr(piece.range.begin, piece.range.size()));
  }
  return pieces;
}

TEST(RegexCases, ArePiecesOfThePackage) {
  std::ifstream file("heed/text/regex/testdata/cases.jsonl");
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto entry = nlohmann::json::parse(line);
    const auto regex = entry.at("regex").get<std::string>();
    const auto text = entry.at("text").get<std::string>();
    for (const auto& [how, expected] : entry.items()) {
      if (how == "regex" || how == "text") continue;
      EXPECT_EQ(pieces_of(*split_named(regex, how), text), expected.get<std::vector<std::string>>())
          << regex << ", " << text << ", " << how;
    }
  }
  EXPECT_GE(count, 300);
}

// Cases that nobody here chose.
TEST(RegexCases, SharedOnesArePiecesOfThePackage) {
  const auto path = test::shared_data("../cases/regex/cases.jsonl");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "../shared/cases/regex is missing";
  std::ifstream file(path);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto entry = nlohmann::json::parse(line);
    const auto regex = entry.at("regex").get<std::string>();
    const auto text = entry.at("text").get<std::string>();
    EXPECT_EQ(pieces_of(*split_named(regex, "isolated"), text),
              entry.at("pieces").get<std::vector<std::string>>())
        << regex << ", " << text;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace heed::text
