// Predicting each token of a text from the ones before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/texts/text_data.h"
#include "heed/models/files/language_model_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

// How a text becomes tokens: "characters"; "bytes"; "bpe:N", a byte-level BPE of at most N tokens
// that is learnt from `text`; or the path of a tokenizer.json. Throws UsageError for a number that
// cannot be used and for a name that is none of these, which it lists (`learnt`: all but the path),
// and what Tokenizer::load throws.
std::shared_ptr<const text::Tokenizer> tokenizer_for(
    const std::string& kind, std::string_view text, const Progress& progress = {},
    std::string_view learnt = "auto, characters, bytes, bpe:N");

// The same for a language model, which "auto" gives a byte-level BPE: a token for each 256 bytes of
// the text, within limits, as of fewer each is seen too seldom to be learnt.
struct TextTokenizerOptions {
  std::string tokenizer = "auto";
};

template <nn::OptionsOf<TextTokenizerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "tokenizer",
                  .help = "characters, bytes, bpe:N (learnt from the texts, N tokens), auto (bpe "
                          "with a number that suits the size of the texts) or a tokenizer.json"},
        o.tokenizer);
}

std::shared_ptr<const text::Tokenizer> tokenizer_for(const TextTokenizerOptions& options,
                                                     std::string_view text,
                                                     const Progress& progress = {});

// A training example is a piece of the training text of as many tokens as the model's context. The
// places where a piece may begin are cut into as many equal stretches as there are examples, and
// each time an example is read it begins anywhere in its stretch: an epoch reads the text about
// once, evenly, and no two epochs see the same pieces.
class LanguageModeling final : public Task {
 public:
  // A fresh model whose vocabulary is that of the tokenizer. Weights come from torch's default
  // generator. Throws DataError where a text has fewer than two tokens.
  LanguageModeling(const data::TextData& data, std::shared_ptr<const text::Tokenizer> tokenizer,
                   const models::LanguageModelOptions& model);

  // Goes on with a model: pieces of at most `context` tokens.
  LanguageModeling(const data::TextData& data, models::TrainedLanguageModel trained,
                   int64_t context);

  std::string name() const override { return "lm"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  Loss loss(const Batch& batch) override;  // mean over all tokens, nats
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "loss");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), lowest("perplexity"), lowest("bits_per_byte")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedLanguageModel& trained() const { return trained_; }
  int64_t train_tokens() const { return static_cast<int64_t>(train_.size()); }
  int64_t valid_tokens() const { return static_cast<int64_t>(valid_.size()); }

 private:
  void read(const data::TextData& data);
  void cut_into_pieces(int64_t context);

  models::TrainedLanguageModel trained_;
  std::vector<int32_t> train_;
  std::vector<int32_t> valid_;
  int64_t valid_bytes_ = 0;  // of all validation tokens but the first
  int64_t piece_ = 0;        // tokens of an example
  std::vector<int64_t> lengths_;
};

// −log p in nats of each token but the first, given those before it in its window: windows of the
// model's context stand side by side, so that a token sees half a context on average, as it does in
// training. In evaluation mode; (n − 1) of n tokens, none for fewer than two.
std::vector<float> token_losses(const models::LanguageModel& model, const std::vector<int32_t>& ids,
                                const Progress& progress = {});

// Over the whole text but its first token: loss (nats per token), perplexity, bits_per_byte, and
// the number of tokens. Throws DataError naming `where` for a text of fewer than two tokens.
struct TextSource {
  std::string_view text;
  std::string where;  // of the text, for errors
};
Metrics evaluate(const models::TrainedLanguageModel& trained, const TextSource& source,
                 const Progress& progress = {});

// How many texts, by their tokens, are longer than what the model reads at once.
CutTexts cut_texts(const models::TrainedLanguageModel& trained, const std::vector<int64_t>& tokens);

// Bytes that the first token of a text stands for. Of byte-level tokens several may share a
// character, whose bytes each has its own of.
int64_t first_token_bytes(const text::Encoding& encoding);

}  // namespace heed::tasks
