#include "heed/tasks/common/batches.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "heed/base/error.h"

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

class BatchesAtOnce : public ::testing::Test {
 protected:
  BatchesAtOnce() : before_(at::get_num_threads()) { at::set_num_threads(2); }
  ~BatchesAtOnce() override { at::set_num_threads(before_); }

 private:
  int before_;
};

TEST_F(BatchesAtOnce, EachExampleOnceAndProgressCountsThem) {
  for (const int64_t count : {0, 1, 2, 3, 17}) {
    std::vector<std::atomic<int>> reads(static_cast<size_t>(count));
    std::vector<int64_t> reports;
    for_each_batch_at_once(
        std::vector<int64_t>(static_cast<size_t>(count), 5), 2,
        [&](int64_t done, int64_t total) {
          EXPECT_EQ(total, count);
          reports.push_back(done);
        },
        [&](const std::vector<int64_t>& numbers, const Stopped&) {
          for (const int64_t i : numbers) ++reads[static_cast<size_t>(i)];
        });
    for (const auto& each : reads) EXPECT_EQ(each, 1) << count;
    EXPECT_EQ(std::ssize(reports), (count + 1) / 2);
    EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
    EXPECT_EQ(reports.empty() ? 0 : reports.back(), count);
  }
}

TEST_F(BatchesAtOnce, OneThreadForEachOrAllForASingleOne) {
  const auto run = [](size_t examples, bool parallel) {
    for_each_batch_at_once(std::vector<int64_t>(examples, 5), 1, {},
                           [&](const std::vector<int64_t>&, const Stopped&) {
                             EXPECT_EQ(at::in_parallel_region(), parallel);
                           });
  };
  run(1, false);
  run(4, true);
}

TEST_F(BatchesAtOnce, ThrowsWhatTheFirstThrewAndStopsTheOthers) {
  std::atomic<int> begun{0};
  const auto read = [&](const std::vector<int64_t>& numbers, const Stopped& stopped) {
    ++begun;
    if (numbers[0] == 1) throw DataError("a file", "broken");
    while (!stopped()) std::this_thread::yield();
    throw Interrupted("stopped");
  };
  EXPECT_THROW(for_each_batch_at_once(std::vector<int64_t>(100, 5), 1, {}, read), DataError);
  EXPECT_EQ(begun, 2);
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
