#include "heed/tasks/batches.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

namespace heed::tasks {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::Pointee;

TEST(Batches, EachExampleOnceFromLongToShortAndProgressBehindEachBatch) {
  std::vector<std::vector<int64_t>> batches;
  std::vector<std::pair<int64_t, int64_t>> reports;
  for_each_batch(
      {3, 9, 5, 1, 7}, 2, [&](int64_t done, int64_t total) { reports.emplace_back(done, total); },
      [&](const std::vector<int64_t>& numbers) {
        EXPECT_EQ(reports.size(), batches.size());
        batches.push_back(numbers);
      });
  EXPECT_THAT(batches, ElementsAre(ElementsAre(1, 4), ElementsAre(2, 0), ElementsAre(3)));
  EXPECT_THAT(reports, ElementsAre(Pair(2, 5), Pair(4, 5), Pair(5, 5)));
}

TEST(Batches, ProgressOfPartsAddsUp) {
  std::vector<std::pair<int64_t, int64_t>> reports;
  const Progress whole = [&](int64_t done, int64_t total) { reports.emplace_back(done, total); };
  ProgressInParts parts(whole, 10);
  const Progress first = parts.next(6);
  first(1, 3);
  first(3, 3);
  parts.next(4)(80, 80);
  EXPECT_THAT(reports, ElementsAre(Pair(2, 10), Pair(6, 10), Pair(10, 10)));
}

TEST(Batches, PartsOfNoProgressAreNone) {
  const Progress none;
  EXPECT_FALSE(ProgressInParts(none, 1).next(1));
}

TEST(Batches, ChosenItemsStandInTheOrderOfTheirNumbers) {
  const std::vector<std::string> items = {"a", "b", "c"};
  EXPECT_THAT(chosen(items, {2, 0}), ElementsAre(Pointee(std::string("c")), &items[0]));
}

}  // namespace
}  // namespace heed::tasks
