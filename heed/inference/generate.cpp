#include "heed/inference/generate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <span>

#include "heed/base/error.h"
#include "heed/inference/generation_fields.h"

namespace heed::inference {
namespace {

void check(const std::vector<int64_t>& prompt, const GenerateOptions& options) {
  check_usage(!prompt.empty(), "generation: expected a prompt of at least one token, got none");
  visit_generation_fields(options, nn::FieldCheck());
}

// The samples that are being made, a row of the decoder each.
class Generation {
 public:
  Generation(StepDecoder& decoder, const std::vector<int64_t>& prompt,
             const GenerateOptions& options, const OnToken& on_token)
      : decoder_(decoder),
        options_(options),
        on_token_(on_token),
        sampler_(options.sampling),
        sequences_(static_cast<size_t>(options.num_return_sequences), prompt),
        results_(static_cast<size_t>(options.num_return_sequences)) {
    for (int64_t i = 0; i < options.num_return_sequences; ++i) rows_.push_back(i);
  }

  std::vector<Generated> run() {
    at::Tensor logits = read_prompt();
    for (int64_t step = 0; step < options_.max_new_tokens && !rows_.empty(); ++step) {
      if (options_.cancelled && options_.cancelled()) {
        for (const int64_t sample : rows_) result(sample).finish = FinishReason::kCancelled;
        break;
      }
      if (step > 0) logits = read_last_tokens();
      choose_tokens(logits, step);
    }
    return std::move(results_);
  }

 private:
  Generated& result(int64_t sample) { return results_[static_cast<size_t>(sample)]; }
  std::vector<int64_t>& sequence(int64_t sample) { return sequences_[static_cast<size_t>(sample)]; }

  // The prompt is read once and its row then taken for every sample.
  at::Tensor read_prompt() {
    const std::vector<int64_t>& prompt = sequences_.front();
    auto length = static_cast<int64_t>(prompt.size());
    if (decoder_.capacity() > 0) length = std::min(length, decoder_.capacity());
    decoder_.reset();
    at::Tensor logits = decoder_.step(last_tokens({0}, length));
    held_ = length;
    if (options_.num_return_sequences > 1) {
      const at::Tensor rows = at::zeros({options_.num_return_sequences}, at::kLong);
      decoder_.select(rows);
      logits = logits.index_select(0, rows);
    }
    return logits;
  }

  at::Tensor read_last_tokens() {
    if (decoder_.capacity() > 0 && held_ >= decoder_.capacity()) {
      decoder_.reset();
      held_ = std::max<int64_t>(1, decoder_.capacity() / 2);
      return decoder_.step(last_tokens(rows_, held_));
    }
    ++held_;
    return decoder_.step(last_tokens(rows_, 1));
  }

  // (samples, count)
  at::Tensor last_tokens(const std::vector<int64_t>& samples, int64_t count) {
    at::Tensor ids = at::empty({static_cast<int64_t>(samples.size()), count}, at::kLong);
    auto* out = ids.mutable_data_ptr<int64_t>();
    for (const int64_t sample : samples) {
      const std::vector<int64_t>& all = sequence(sample);
      out = std::copy(all.end() - count, all.end(), out);
    }
    return ids;
  }

  void choose_tokens(const at::Tensor& logits, int64_t step) {
    const at::Tensor values = logits.to(at::kCPU, at::kFloat).contiguous();
    const int64_t width = values.size(1);
    std::vector<int64_t> going_on;
    for (size_t row = 0; row < rows_.size(); ++row) {
      const int64_t sample = rows_[row];
      const float* first = values.const_data_ptr<float>() + static_cast<int64_t>(row) * width;
      std::span<const float> of_row(first, static_cast<size_t>(width));
      const auto early = too_early(options_.eos_token_ids, step, options_.min_new_tokens);
      if (!options_.rules.empty() || !early.empty()) {
        ruled_.assign(of_row.begin(), of_row.end());
        apply(options_.rules,
              {.ids = sequence(sample),
               .step = step,
               .last = step + 1 == options_.max_new_tokens,
               .too_early = early},
              ruled_);
        of_row = ruled_;
      }
      const int64_t id =
          sampler_.choose(of_row, sequence(sample), {.sample = sample, .step = step});
      if (take(sample, id)) going_on.push_back(static_cast<int64_t>(row));
    }
    if (going_on.size() == rows_.size()) return;
    std::vector<int64_t> left;
    for (const int64_t row : going_on) left.push_back(rows_[static_cast<size_t>(row)]);
    rows_ = std::move(left);
    if (!rows_.empty()) decoder_.select(at::tensor(going_on, at::kLong));
  }

  // Whether the sample goes on.
  bool take(int64_t sample, int64_t id) {
    if (std::find(options_.eos_token_ids.begin(), options_.eos_token_ids.end(), id) !=
        options_.eos_token_ids.end()) {
      result(sample).finish = FinishReason::kEndToken;
      return false;
    }
    sequence(sample).push_back(id);
    result(sample).ids.push_back(id);
    if (on_token_ && !on_token_(sample, id)) {
      result(sample).finish = FinishReason::kStopped;
      return false;
    }
    return true;
  }

  StepDecoder& decoder_;
  const GenerateOptions& options_;
  const OnToken& on_token_;
  Sampler sampler_;
  std::vector<std::vector<int64_t>> sequences_;  // of each sample, with its prompt
  std::vector<Generated> results_;
  std::vector<int64_t> rows_;  // the sample in each row of the decoder
  std::vector<float> ruled_;   // memory that is used again
  int64_t held_ = 0;           // tokens in each row
};

}  // namespace

std::vector<Generated> generate(StepDecoder& decoder, const std::vector<int64_t>& prompt,
                                const GenerateOptions& options, const OnToken& on_token) {
  check(prompt, options);
  return Generation(decoder, prompt, options, on_token).run();
}

}  // namespace heed::inference
