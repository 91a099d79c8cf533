#include "heed/data/texts/parallel_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(ParallelData, TwoFilesOrOne) {
  const Written write;
  const auto source = write("a.en", "one\r\ntwo\n\nfour\n");
  const auto target = write.compressed("a.de.gz", "eins\nzwei\ndrei\nvier");
  DataReport report;
  const ParallelData two = read_parallel({source, target}, {}, report);
  EXPECT_EQ(report.count(ProblemKind::kEmptyText), 1);
  EXPECT_EQ(report.fatal_count(), 0);
  ASSERT_EQ(two.pairs.size(), 3u);
  EXPECT_EQ(two.pairs[2].source, "four");
  EXPECT_EQ(two.pairs[2].target, "vier");
  EXPECT_EQ(two.pairs[2].line, 4);
  for (const auto& file :
       {write("b.tsv", "one\teins\ntwo\tzwei\n"), write("c.tsv", "id\ttgt\tsrc\n7\teins\tone\n"),
        write("d.jsonl", "{\"summary\": \"eins\", \"document\": \"one\"}\n"),
        write("e.csv", "source,target\none,eins\n")}) {
    DataReport one;
    const ParallelData data = read_parallel({file}, {}, one);
    EXPECT_TRUE(one.empty()) << one.text();
    EXPECT_EQ(data.pairs.at(0).source, "one") << file;
    EXPECT_EQ(data.pairs.at(0).target, "eins") << file;
  }
  DataReport alone;
  EXPECT_EQ(read_parallel({source}, {.targets = Labels::kNone}, alone).pairs.size(), 4u);
  const auto named = write("f.tsv", "x\ty\none\teins\n");
  EXPECT_EQ(read_parallel({named}, {.source_column = "y", .target_column = "1"}, alone)
                .pairs.at(0)
                .source,
            "eins");
  EXPECT_TRUE(alone.empty());
}

TEST(ParallelData, Faults) {
  const Written write;
  const auto three = write("a", "1\n2\n3\n");
  DataReport report;
  EXPECT_THAT(read_parallel({three, write("b", "1\n2\n")}, {}, report).pairs, IsEmpty());
  EXPECT_THAT(report.examples(ProblemKind::kLineCount).at(0).detail,
              AllOf(HasSubstr("expected 3 lines"), HasSubstr("found 2")));
  DataReport bad;
  const ParallelData data = read_parallel({three, write("c", "1\n\xff\n3\n")}, {}, bad);
  EXPECT_THAT(only(bad, ProblemKind::kNotUtf8), HasSubstr("2: "));
  EXPECT_EQ(data.pairs.at(1).source, "3");  // not paired with line 2
  EXPECT_EQ(data.pairs.at(1).target, "3");
  DataReport columns;
  read_parallel({write("d.tsv", "a\tb\nc\n")}, {}, columns);
  EXPECT_THAT(only(columns, ProblemKind::kColumnCount), HasSubstr("2: expected 2 columns"));
  DataReport json;
  read_parallel({write("e.jsonl", "{\"source\": \"a\"}\n{\"source\":\"a\",\"target\":\"b\"}")}, {},
                json);
  EXPECT_THAT(only(json, ProblemKind::kMalformedRow), HasSubstr("'target'"));
  EXPECT_THROW(read_parallel({write("f.tsv", "alone\n")}, {}, json), UsageError);
  EXPECT_THROW(read_parallel({write("g.tsv", "a\tb\n")}, {.source_column = "c"}, json), UsageError);
  EXPECT_THROW(read_parallel({"-", "-"}, {}, json), UsageError);
}

// The first two columns of many are not the pair, and a header is no example.
TEST(ParallelData, TablesByNamedColumns) {
  const Written write;
  DataReport report;
  EXPECT_THROW(read_parallel({write("a.tsv", "1\tone\teins\n2\ttwo\tzwei\n")}, {}, report),
               UsageError);
  const auto file = write("b.csv", "id;english;german\n1;one;eins\n2;two;zwei\n");
  EXPECT_THROW(read_parallel({file}, {}, report), UsageError);
  const ParallelReadOptions named = {.source_column = "english", .target_column = "german"};
  const ParallelData data = read_parallel({file}, named, report);
  ASSERT_EQ(data.pairs.size(), 2u);
  EXPECT_EQ(data.pairs[0].target, "eins");
  EXPECT_EQ(data.source_column, "english");
  const ParallelReadOptions known = {.known_source_column = "english",
                                     .known_target_column = "german"};
  EXPECT_EQ(read_parallel({file}, known, report).pairs.size(), 2u);
  const auto plain = write("c.tsv", "en\tde\none\teins\n");
  EXPECT_EQ(read_parallel({plain}, {.header = Header::kYes}, report).pairs.size(), 1u);
  EXPECT_EQ(report.fatal_count(), 0) << report.text();
}

TEST(ParallelData, AnyNumberOfFiles) {
  const Written write;
  DataReport report;
  const auto table = write("a.jsonl", "{\"source\": \"one\", \"target\": \"eins\"}\n");
  const auto source = write("b.en", "two\nthree\n");
  const auto target = write("b.de", "zwei\ndrei\n");
  const ParallelData data =
      read_parallel_files(std::vector{table, table, source, target}, {}, report);
  ASSERT_EQ(data.pairs.size(), 4u) << report.text();
  EXPECT_EQ(data.pairs[3].target, "drei");
  EXPECT_THROW(read_parallel_files(std::vector{source, target, source}, {}, report), UsageError);
  ParallelData train = data;
  EXPECT_EQ(take_validation(train, 0.3, 1, report).pairs.size() + train.pairs.size(), 4u);
}

TEST(ParallelData, Multi30k) {
  if (!std::filesystem::exists(test::shared_data("multi30k")))
    GTEST_SKIP() << "../shared/data is missing";
  DataReport report;
  const ParallelData data = read_parallel(
      {test::shared_data("multi30k/train.en"), test::shared_data("multi30k/train.de")}, {}, report);
  EXPECT_EQ(report.fatal_count(), 0) << report.text();
  EXPECT_EQ(data.pairs.size() + static_cast<size_t>(report.warning_count()), 29000u);
}

}  // namespace
}  // namespace heed::data
