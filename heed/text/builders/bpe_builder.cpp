#include "heed/text/builders/bpe_builder.h"

#include <utility>

#include "heed/base/error.h"
#include "heed/text/builders/bpe_learner.h"
#include "heed/text/builders/word_counter.h"
#include "heed/text/models/word_piece.h"

namespace heed::text {

BpeOptions byte_level_options() {
  BpeOptions options;
  options.unknown_token.reset();
  options.special_tokens = {"<|endoftext|>"};
  options.alphabet = BpeOptions::Alphabet::kBytes;
  options.pre_tokenizers = {R"({"type": "ByteLevel", "add_prefix_space": false})"};
  options.decoder = "ByteLevel";
  return options;
}

BpeOptions subword_nmt_options() {
  BpeOptions options;
  options.end_of_word_suffix = "</w>";
  options.ties = BpeOptions::Ties::kSpelling;
  options.pre_tokenizers = {"WhitespaceSplit"};
  options.decoder = "BPEDecoder";
  return options;
}

BpeOptions word_piece_options() {
  BpeOptions options;
  options.special_tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  options.continuing_subword_prefix = "##";
  options.normalizers = {"BertNormalizer"};
  options.pre_tokenizers = {"BertPreTokenizer"};
  options.decoder = "WordPiece";
  return options;
}

struct BpeBuilder::State : BuilderState<BpeOptions> {
  using BuilderState::BuilderState;
};

BpeBuilder::BpeBuilder(const BpeOptions& options) : state_(new State(options)) {}

BpeBuilder::~BpeBuilder() = default;

void BpeBuilder::add(std::string_view text) { state_->counter.add(text); }

Tokenizer BpeBuilder::build() const {
  const BpeOptions& options = state_->options;
  LearntMerges learnt = learn_merges(state_->counter.words(), options);
  BpeSettings settings;
  settings.unknown_token = options.unknown_token;
  settings.continuing_subword_prefix = options.continuing_subword_prefix;
  settings.end_of_word_suffix = options.end_of_word_suffix;
  return state_->finish(std::make_shared<Bpe>(Vocabulary(std::move(learnt.tokens)),
                                              std::move(learnt.merges), std::move(settings)));
}

Tokenizer BpeBuilder::build_word_piece() const {
  const BpeOptions& options = state_->options;
  check_usage(options.unknown_token && !options.continuing_subword_prefix.empty(),
              "WordPiece needs an unknown_token and a continuing_subword_prefix");
  LearntMerges learnt = learn_merges(state_->counter.words(), options);
  WordPieceSettings settings;
  settings.unknown_token = *options.unknown_token;
  settings.continuing_subword_prefix = options.continuing_subword_prefix;
  return state_->finish(
      std::make_shared<WordPiece>(Vocabulary(std::move(learnt.tokens)), std::move(settings)));
}

}  // namespace heed::text
