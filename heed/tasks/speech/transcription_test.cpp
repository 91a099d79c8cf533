#include "heed/tasks/speech/transcription.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

namespace heed::tasks {
namespace {

// Text 0 … 3, the end 4, the beginning 5, no times 6, and the times 7 … 11.
constexpr size_t kTimedVocabulary = 12;
constexpr int64_t kFirstTime = 7;

using TimedIds = std::vector<int64_t>;

// What may follow, where text has the logit 0 and each time this one.
TimedIds allowed_after(const TimedIds& written, float times) {
  const Transcriber transcriber{
      .start = 5, .ends = {4}, .no_timestamps = kFirstTime - 1, .most_first_time = 2};
  std::vector<float> logits(kTimedVocabulary, 0);
  for (size_t id = kFirstTime; id < kTimedVocabulary; ++id) logits[id] = times;
  apply_time_rules(transcriber, written, logits);
  TimedIds ids;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isinf(logits[i])) ids.push_back(static_cast<int64_t>(i));
  }
  return ids;
}

constexpr float kUnlikely = -2;  // also of all times together: ln 5 − 2 < 0

TEST(TimeRules, BeginWithATimeThatIsNotTooLate) {
  EXPECT_EQ(allowed_after({}, kUnlikely), (TimedIds{7, 8, 9}));
}

TEST(TimeRules, WantTextBehindTheFirstTime) {
  EXPECT_EQ(allowed_after({7}, 9), (TimedIds{0, 1, 2, 3, 4, 5}));
}

TEST(TimeRules, EndASegmentLaterThanItBegins) {
  EXPECT_EQ(allowed_after({8, 2}, kUnlikely), (TimedIds{0, 1, 2, 3, 4, 5, 9, 10, 11}));
}

// Behind the time that ends a segment the next one begins, at that time or later; or all ends.
TEST(TimeRules, BeginTheNextSegmentOrEnd) {
  EXPECT_EQ(allowed_after({7, 2, 9}, kUnlikely), (TimedIds{4, 5, 9, 10, 11}));
}

TEST(TimeRules, WantTextBehindTwoTimes) {
  EXPECT_EQ(allowed_after({7, 2, 9, 9}, 9), (TimedIds{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(allowed_after({7, 2, 9, 10, 3}, kUnlikely), (TimedIds{0, 1, 2, 3, 4, 5, 11}));
}

// Four times of −1 each are likelier together than the best text: ln 4 − 1 = 0.39; of −1.5 they are
// not: −0.11.
TEST(TimeRules, WriteATimeWhereAllTimesTogetherAreLikelier) {
  EXPECT_EQ(allowed_after({7, 2}, -1), (TimedIds{8, 9, 10, 11}));
  EXPECT_EQ(allowed_after({7, 2}, -1.5), (TimedIds{0, 1, 2, 3, 4, 5, 8, 9, 10, 11}));
}

TEST(TimeRules, KeepLargeLogitsFinite) {
  EXPECT_EQ(allowed_after({7, 2}, 1e4F), (TimedIds{8, 9, 10, 11}));
  EXPECT_EQ(allowed_after({7, 2}, -1e4F), (TimedIds{0, 1, 2, 3, 4, 5, 8, 9, 10, 11}));
}

}  // namespace
}  // namespace heed::tasks
