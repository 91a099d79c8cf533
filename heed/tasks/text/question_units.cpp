#include "heed/tasks/text/question_units.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string_view>

#include "heed/io/checksum.h"
#include "heed/tasks/common/vocabulary_size.h"
#include "heed/tasks/generation/language_modeling.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {
namespace {

constexpr std::string_view kWords = "words:";
constexpr int32_t kMostWords = 1 << 24;

// Of "words" or "words:N".
int32_t words_size(std::string_view kind) {
  if (kind == "words") return kMostWords;
  return vocabulary_size(kind, {.prefix = kWords,
                                .least = 3,
                                .expected = "at least 3 (padding and unknown words among them)"});
}

}  // namespace

void add_inputs(Checksum& sum, const std::vector<QuestionUnits>& inputs) {
  for (const QuestionUnits& each : inputs) {
    sum.add(each.ids);
    sum.add(each.sizes);
    sum.add(each.question);
  }
}

models::QuestionBatch question_batch(const std::vector<const QuestionUnits*>& inputs,
                                     int64_t padding_id) {
  const auto rows = static_cast<int64_t>(inputs.size());
  int64_t units = 1;
  int32_t longest = 1;
  for (const auto* each : inputs) {
    units = std::max(units, each->count());
    for (const int32_t size : each->sizes) longest = std::max(longest, size);
  }
  models::QuestionBatch batch{
      .ids = at::full({rows, units, longest}, std::max<int64_t>(padding_id, 0), at::kLong),
      .words = at::zeros({rows, units}, at::kLong),
      .units = at::empty({rows}, at::kLong),
      .question = at::empty({rows}, at::kLong)};
  auto* ids = batch.ids.mutable_data_ptr<int64_t>();
  auto* words = batch.words.mutable_data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const QuestionUnits& input = *inputs[static_cast<size_t>(row)];
    auto next = input.ids.begin();
    for (int64_t unit = 0; unit < input.count(); ++unit) {
      const int32_t size = input.sizes.empty() ? 1 : input.sizes[static_cast<size_t>(unit)];
      std::copy(next, next + size, ids + (row * units + unit) * longest);
      words[row * units + unit] = size;
      next += size;
    }
    batch.units.mutable_data_ptr<int64_t>()[row] = input.count();
    batch.question.mutable_data_ptr<int64_t>()[row] = input.question;
  }
  return batch;
}

std::shared_ptr<const text::Tokenizer> question_tokenizer(const std::string& kind,
                                                          const std::vector<std::string>& texts,
                                                          const Progress& progress) {
  if (kind == "words" || kind.starts_with(kWords)) {
    return std::make_shared<const text::Tokenizer>(
        text::build_word_level(texts, {.vocab_size = words_size(kind)}));
  }
  std::string all;
  for (const std::string& each : texts) all += each + '\n';
  return tokenizer_for(kind, all, progress, "words, words:N, characters, bytes, bpe:N");
}

}  // namespace heed::tasks
