#include "heed/models/parts/word_batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>

#include "heed/base/error.h"
#include "heed/models/testing/test_words.h"

namespace heed::models {
namespace {

using Words = std::vector<std::string>;

std::vector<int64_t> row(const at::Tensor& table, int64_t index) {
  const at::Tensor values = table[index].contiguous();
  return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
}

WordBatch batch_of(const WordReader& reader, const std::vector<Words>& sentences) {
  std::vector<const Words*> pointers;
  for (const Words& words : sentences) pointers.push_back(&words);
  return reader.batch(pointers);
}

TEST(WordBatch, EachWordOnceAndWhereItStands) {
  const WordReader reader = small_reader();
  const WordBatch batch = batch_of(reader, {{"the", "sea", "the"}, {"sea"}});
  EXPECT_EQ(row(batch.rows, 0), (std::vector<int64_t>{0, 1, 0}));
  EXPECT_EQ(row(batch.rows, 1), (std::vector<int64_t>{1, 0, 0}));
  EXPECT_EQ(row(batch.lengths.unsqueeze(0), 0), (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(batch.subwords.ids.size(0), 2);
  const auto the = reader.subwords().encode_ids("the", text::Surround::kNo);
  ASSERT_EQ(the.size(), 1U);
  EXPECT_EQ(batch.subwords.ids[0][0].item<int64_t>(), the[0]);
  EXPECT_EQ(batch.characters.ids[0][2].item<int64_t>(),
            reader.characters().encode_ids("e", text::Surround::kNo)[0]);
}

TEST(WordBatch, CapitalsAreOfCharactersAndShapesNotOfSubwords) {
  const WordBatch batch = batch_of(small_reader(), {{"Tim", "tim"}});
  EXPECT_TRUE(batch.subwords.ids[0].equal(batch.subwords.ids[1]));
  EXPECT_FALSE(batch.characters.ids[0].equal(batch.characters.ids[1]));
  EXPECT_FALSE(batch.shapes[0].equal(batch.shapes[1]));
}

TEST(WordBatch, OfALongWordTheTwoEndsStay) {
  const WordReader reader = small_reader();
  const WordBatch batch = batch_of(reader, {{"abcdefghij"}});
  EXPECT_EQ(batch.subwords.ids.size(1), 3);
  std::vector<int64_t> expected;
  for (const int32_t id : reader.characters().encode_ids("abchij", text::Surround::kNo)) {
    expected.push_back(id);
  }
  EXPECT_EQ(row(batch.characters.ids, 0), expected);
  EXPECT_TRUE(reader.is_cut("abcdefghij"));
  EXPECT_FALSE(reader.is_cut("the"));
}

TEST(WordBatch, UnknownAndEmpty) {
  const WordReader reader = small_reader();
  const WordBatch batch = batch_of(reader, {{"\xE6\xB5\xB7", ""}, {}});  // 海
  EXPECT_EQ(batch.subwords.ids[0][0].item<int64_t>(), reader.subwords().unknown_id());
  EXPECT_EQ(batch.characters.ids[0][0].item<int64_t>(), reader.characters().unknown_id());
  EXPECT_EQ(batch.subwords.ids[1][0].item<int64_t>(), reader.subwords().unknown_id());
  EXPECT_EQ(batch.lengths[1].item<int64_t>(), 0);
  const WordBatch nothing = batch_of(reader, {{}});
  EXPECT_EQ(nothing.rows.sizes(), (at::IntArrayRef{1, 1}));
  EXPECT_EQ(nothing.subwords.ids.size(0), 1);
}

TEST(WordBatch, SeveralThreadsReadTheSame) {
  const WordReader reader = small_reader();
  std::vector<Words> sentences(1);
  for (int i = 0; i < 300; ++i) sentences[0].push_back(std::to_string(i % 150));
  const WordBatch expected = batch_of(small_reader(), sentences);
  std::vector<WordBatch> batches(4);
  std::vector<std::thread> threads;
  for (WordBatch& batch : batches) {
    threads.emplace_back([&] { batch = batch_of(reader, sentences); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const WordBatch& batch : batches) {
    EXPECT_TRUE(batch.rows.equal(expected.rows));
    EXPECT_TRUE(batch.subwords.ids.equal(expected.subwords.ids));
    EXPECT_TRUE(batch.characters.ids.equal(expected.characters.ids));
  }
}

TEST(WordBatch, Errors) {
  EXPECT_THROW(WordReader(small_subwords(), small_characters(), {.subwords = 0}), UsageError);
  EXPECT_THROW(WordReader(small_subwords(), small_characters(), {.characters = 1}), UsageError);
  EXPECT_THROW(batch_of(small_reader(), {{"\xFF"}}), DataError);
}

}  // namespace
}  // namespace heed::models
