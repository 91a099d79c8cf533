#include "heed/cli/common.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

TEST(ReadingOptions, AreThoseOfTheReaders) {
  ReadingOptions reading;
  EXPECT_EQ(reading.parsed().format, data::Format::kAuto);
  EXPECT_EQ(reading.parsed().delimiter, '\0');
  EXPECT_EQ(reading.parsed().limits.most_bytes, 0U);
  reading.format = "csv";
  reading.delimiter = ";";
  reading.header = "no";
  reading.encoding = "latin-1";
  reading.max_bytes = "4K";
  reading.text_column = "review";
  const data::ReadOptions parsed = reading.parsed();
  EXPECT_EQ(parsed.format, data::Format::kCsv);
  EXPECT_EQ(parsed.delimiter, ';');
  EXPECT_EQ(parsed.header, data::Header::kNo);
  EXPECT_EQ(parsed.encoding, data::CharacterEncoding::kLatin1);
  EXPECT_EQ(parsed.limits.most_bytes, 4096U);
  EXPECT_EQ(parsed.text_column, "review");
}

TEST(ReadingOptions, WhatIsNoneOfThemIsRefused) {
  for (const auto& change : std::vector<void (*)(ReadingOptions&)>{
           [](ReadingOptions& o) { o.format = "xls"; },
           [](ReadingOptions& o) { o.delimiter = "ab"; },
           [](ReadingOptions& o) { o.encoding = "ebcdic"; },
           [](ReadingOptions& o) { o.max_bytes = "much"; },
       }) {
    ReadingOptions reading;
    change(reading);
    EXPECT_THROW(reading.parsed(), UsageError);
  }
}

TEST(Metrics, CountsAreWholeNumbers) {
  const tasks::Metrics metrics = {{"loss", 0.5}, {"examples", 12}};
  EXPECT_EQ(json_of(metrics).dump(), "{\"loss\":0.5,\"examples\":12}");
  EXPECT_EQ(text_of_metrics(metrics), "loss 0.5000  examples 12");
}

}  // namespace
}  // namespace heed::cli
