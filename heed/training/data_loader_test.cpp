#include "heed/training/data_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

#include "heed/data/length_buckets.h"

namespace heed::training {
namespace {

// Some items take longer than others, so that workers overtake each other.
void dawdle(size_t number) {
  if (number % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(number % 7 * 20));
}

std::vector<size_t> all_of(const DataLoaderOptions& options) {
  DataLoader<size_t> loader(options, [](size_t number) {
    dawdle(number);
    return number * number;
  });
  std::vector<size_t> items;
  while (loader.has_next()) items.push_back(loader.next());
  return items;
}

TEST(DataLoader, EachItemOnceInOrderForAnyNumberOfWorkers) {
  for (size_t workers = 0; workers <= 8; ++workers) {
    for (const size_t count : {0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 100}) {
      for (const size_t first : {size_t{0}, size_t{1}, count / 2, count}) {
        if (first > count) continue;
        const auto items =
            all_of({.first = first, .count = count, .num_workers = workers, .ahead = 2});
        ASSERT_EQ(items.size(), count - first) << workers << " workers";
        for (size_t i = 0; i < items.size(); ++i) {
          ASSERT_EQ(items[i], (first + i) * (first + i)) << workers << " workers";
        }
      }
    }
  }
}

// The samples of an epoch as the trainer hands them out: buckets by length, of every tail.
TEST(DataLoader, NoSampleIsLostOrRepeated) {
  for (size_t workers = 0; workers <= 8; ++workers) {
    for (int64_t tail = 0; tail < 8; ++tail) {
      for (const int64_t batch_tokens : {0, 40}) {
        std::vector<int64_t> lengths(static_cast<size_t>(40 + tail));
        for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<int64_t>(i * 5 % 9);
        const auto batches = data::length_buckets(
            lengths, {.batch_size = 8, .batch_tokens = batch_tokens, .seed = workers, .window = 2});
        DataLoader<std::vector<int64_t>> loader({.count = batches.size(), .num_workers = workers},
                                                [&](size_t number) {
                                                  dawdle(number);
                                                  return batches[number];
                                                });
        std::vector<int> seen(lengths.size(), 0);
        while (loader.has_next()) {
          for (const int64_t example : loader.next()) ++seen[static_cast<size_t>(example)];
        }
        for (const int count : seen) ASSERT_EQ(count, 1) << workers << " workers, tail " << tail;
      }
    }
  }
}

TEST(DataLoader, WorkersStayWithinTheirLead) {
  std::atomic<size_t> made{0};
  DataLoader<size_t> loader({.count = 100, .num_workers = 3, .ahead = 2}, [&](size_t number) {
    ++made;
    return number;
  });
  for (size_t taken = 1; taken <= 100; ++taken) {
    loader.next();
    EXPECT_LE(made.load(), taken + 6);
  }
}

TEST(DataLoader, AnErrorArrivesInThePlaceOfItsItem) {
  for (size_t workers = 0; workers <= 8; ++workers) {
    DataLoader<std::unique_ptr<size_t>> loader({.count = 20, .num_workers = workers},
                                               [](size_t number) {
                                                 if (number == 11) {
                                                   throw std::runtime_error("item 11");
                                                 }
                                                 return std::make_unique<size_t>(number);
                                               });
    for (size_t i = 0; i < 11; ++i) EXPECT_EQ(*loader.next(), i);
    try {
      loader.next();
      FAIL() << "no error with " << workers << " workers";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::string("item 11"));
    }
    EXPECT_EQ(*loader.next(), 12U) << "goes on behind it";
  }
}

TEST(DataLoader, MayBeLeftAtAnyMoment) {
  for (size_t workers = 0; workers <= 8; ++workers) {
    for (const size_t taken : {0, 1, 5, 20}) {
      std::atomic<int> running{0};
      {
        DataLoader<size_t> loader({.count = 20, .num_workers = workers}, [&](size_t number) {
          ++running;
          dawdle(number);
          --running;
          return number;
        });
        for (size_t i = 0; i < taken; ++i) loader.next();
      }
      EXPECT_EQ(running.load(), 0);
    }
  }
}

}  // namespace
}  // namespace heed::training
