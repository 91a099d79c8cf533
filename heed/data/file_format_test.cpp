#include "heed/data/file_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "heed/base/error.h"

namespace heed::data {
namespace {

std::string kind(std::string_view text, const char* name = "a.txt") {
  const FileLayout found = kind_of({.text = text, .name = name});
  const bool table = found.format == Format::kTsv || found.format == Format::kCsv;
  return std::string(name_of(found.format)) + (table ? " " + described(found.delimiter) : "");
}

TEST(Format, Json) {
  EXPECT_EQ(kind(R"({"a": 1})"), "jsonl");
  EXPECT_EQ(kind("\n{\"a\": \"}\"}\n{\"a\": 2}\n", "a.csv"), "jsonl");
  EXPECT_EQ(kind("{\n  \"a\": 1\n}\n"), "json");
  EXPECT_EQ(kind(R"([{"a": 1}, {"a": 2}])"), "json");
  EXPECT_EQ(kind(R"({"version": "1.1", "data": [{"title")"), "json");  // cut off
  EXPECT_EQ(kind(R"({"version": "1.1", "data": [1]})"), "json");
  EXPECT_EQ(kind(R"({"text": "a line longer than what is looked at)"), "jsonl");
  EXPECT_EQ(kind("{\"data\": [1]}\n{\"data\": [2]}\n"), "jsonl");
  EXPECT_EQ(kind("{a smile}\n[music] and\n"), "text");
  EXPECT_EQ(kind("[{\"a\": 1}] behind\n"), "text");
  EXPECT_EQ(kind("{\"a\": 1,\n{\"a\": 2}\n", "a.jsonl"), "jsonl");  // a fault of line 1
  EXPECT_EQ(kind("no JSON", "a.JSONL.gz"), "jsonl");                // so that its faults are said
}

TEST(Format, Tables) {
  EXPECT_EQ(kind("a\tb\nc\td\n"), "tsv a tab");
  EXPECT_EQ(kind("a\tb\nc\n"), "text");
  EXPECT_EQ(kind("a\tb\n"), "text");  // one line may be anything
  EXPECT_EQ(kind("text\tlabel\n"), "tsv a tab");
  EXPECT_EQ(kind("hello, world\nsee, you\n"), "text");
  EXPECT_EQ(kind("text,label\n\"a,b\nc\",d\n"), "csv ','");
  EXPECT_EQ(kind("a;b,c\nd;e\n", "a.csv"), "csv ';'");
  EXPECT_EQ(kind("Source|Target\na|b\n", "a.dat"), "csv '|'");
  EXPECT_EQ(kind("a,b\n", "A.CSV.GZ"), "csv ','");
  EXPECT_EQ(kind("", "a.tsv"), "tsv a tab");
}

TEST(Format, WordsAndStories) {
  EXPECT_EQ(kind("-DOCSTART- -X- O O\n\nEU NNP B-ORG\nrejects VBZ O\n\n"), "conll");
  EXPECT_EQ(kind("EU\tB-ORG\nrejects\tO\n"), "conll");
  EXPECT_EQ(kind("EU rejects\nGerman call\n"), "text");
  EXPECT_EQ(kind("word\n", "a.conll"), "conll");
  EXPECT_EQ(kind("1 Mary moved.\n2 Where is she?\tbathroom\t1\n1 John ran.\n"), "babi");
  EXPECT_EQ(kind("1 good film\n0 bad film\n"), "text");
}

// Its reader names the line; else every other one would be read as something else.
TEST(Format, OneBadLineOfManyIsAMistake) {
  std::string stories, tags;
  for (int i = 0; i < 4; ++i) {
    stories += "1 Mary moved.\n2 John ran.\n3 Where is she?\tbathroom\t1\n";
    tags += "EU B-ORG\nrejects O\ncalls O\n";
  }
  for (const char* bad : {"5 John ran.\n", "Who?\n"}) EXPECT_EQ(kind(stories + bad), "babi");
  for (const char* bad : {"German\n", "German X\n"}) EXPECT_EQ(kind(tags + bad), "conll");
  EXPECT_EQ(kind("1 Mary moved.\nWho?\n"), "text");
}

TEST(Format, Names) {
  for (const char* name : {"auto", "label-text", "tsv", "csv", "jsonl", "json", "conll", "text"}) {
    EXPECT_EQ(name_of(format_named(name)), name);
  }
  EXPECT_THROW(format_named("xml"), UsageError);
  EXPECT_THROW(format_named("babi"), UsageError);
  EXPECT_THROW(encoding_named("utf-16"), UsageError);
  EXPECT_EQ(delimiter_named("tab"), '\t');
  EXPECT_EQ(delimiter_named(";"), ';');
  EXPECT_EQ(delimiter_named(""), '\0');
  for (const char* wrong : {"\"", ";;", "\n", "é"})
    EXPECT_THROW(delimiter_named(wrong), UsageError);
}

}  // namespace
}  // namespace heed::data
