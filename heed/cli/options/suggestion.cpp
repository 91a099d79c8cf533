#include "heed/cli/options/suggestion.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

namespace heed::cli {
namespace {

// Edits between two words, a swap of neighbours being one (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> edits(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) edits[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) edits[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1,
                              edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
      }
    }
  }
  return edits[a.size()][b.size()];
}

// What others call an option, and what it is here; of several, the first that the command has.
constexpr std::pair<const char*, const char*> kNamesOfOthers[] = {
    // the model
    {"embed-dim", "d-model"},
    {"embedding-dim", "d-model"},
    {"hidden-size", "d-model"},
    {"n-embd", "d-model"},
    {"dim", "d-model"},
    {"n-head", "num-heads"},
    {"n-heads", "num-heads"},
    {"nhead", "num-heads"},
    {"num-attention-heads", "num-heads"},
    {"n-kv-heads", "num-key-value-heads"},
    {"num-kv-heads", "num-key-value-heads"},
    {"depth", "num-layers"},
    {"n-layer", "num-layers"},
    {"n-layers", "num-layers"},
    {"num-hidden-layers", "num-layers"},
    {"num-encoder-layers", "num-layers"},
    {"decoder-layers", "num-decoder-layers"},
    {"dim-feedforward", "d-ff"},
    {"ffn-dim", "d-ff"},
    {"intermediate-size", "d-ff"},
    {"n-inner", "d-ff"},
    {"activation-function", "activation"},
    {"hidden-act", "activation"},
    {"attention-bias", "bias"},
    {"mlp-bias", "bias"},
    {"use-bias", "bias"},
    {"pre-norm", "norm-first"},
    {"layer-norm-eps", "norm"},
    {"norm-type", "norm"},
    {"rms-norm-eps", "norm"},
    {"hidden-dropout-prob", "dropout"},
    {"dropout-rate", "dropout"},
    {"attention-probs-dropout-prob", "attention-dropout"},
    {"embd-pdrop", "embedding-dropout"},
    {"attention-window", "pattern"},
    {"attn-mask", "pattern"},
    {"is-causal", "pattern"},
    {"sliding-window", "pattern"},
    {"attn-logit-softcapping", "softcap"},
    {"position-embedding-type", "positions"},
    {"positional-encoding", "positions"},
    {"relative-attention-max-distance", "max-relative-positions"},
    {"rotary-base", "rope-theta"},
    {"init-std", "embedding-std"},
    {"initializer-range", "embedding-std"},
    {"initializer", "init"},
    {"weight-init", "init"},
    {"std", "embedding-std"},
    {"block-size", "max-length"},
    {"context-length", "max-length"},
    {"max-position-embeddings", "max-length"},
    {"max-seq-length", "max-length"},
    {"n-positions", "max-length"},
    {"seq-len", "context-length"},
    {"seq-len", "max-length"},
    {"pred-len", "horizon"},
    {"prediction-length", "horizon"},
    {"do-lower-case", "lowercase"},
    {"num-embeddings", "vocab-size"},
    {"num-embeddings", "codebook-size"},
    {"n-clusters", "codebook-size"},
    {"share-embeddings", "tie-word-embeddings"},
    {"tied", "tie-word-embeddings"},
    {"arch", "architecture"},
    {"encoder-type", "architecture"},
    {"decoder-type", "architecture"},
    {"cell", "rnn-cell"},
    {"rnn-type", "rnn-cell"},
    {"global-attention", "rnn-attention"},
    {"input-feed", "rnn-input-feeding"},
    {"use-crf", "output"},
    {"channel-attention", "channel-independent"},
    {"num-object-queries", "num-queries"},
    {"out-channels", "vector-size"},
    {"conv-depthwise-kernel-size", "kernel-size"},
    {"conv-subsampling-factor", "subsampling"},
    {"subsampling-conv-channels", "num-channels"},
    {"max-duration-in-seconds", "max-seconds"},
    {"sample-frequency", "sampling-rate"},
    {"degrees", "max-rotation"},
    {"scale", "max-scale"},
    {"translate", "max-shift"},
    // training
    {"learning-rate", "lr"},
    {"batch", "batch-size"},
    {"per-device-train-batch-size", "batch-size"},
    {"train-batch-size", "batch-size"},
    {"max-tokens", "batch-tokens"},
    {"max-epochs", "epochs"},
    {"n-epochs", "epochs"},
    {"num-epochs", "epochs"},
    {"num-train-epochs", "epochs"},
    {"max-iters", "max-steps"},
    {"steps", "max-steps"},
    {"eval-every", "eval-steps"},
    {"eval-interval", "eval-steps"},
    {"accumulate-grad-batches", "gradient-accumulation-steps"},
    {"lr-scheduler-type", "lr-scheduler"},
    {"schedule", "lr-scheduler"},
    {"scheduler", "lr-scheduler"},
    {"warmup", "warmup-ratio"},
    {"optim", "optimizer"},
    {"adam-beta1", "beta1"},
    {"adam-beta2", "beta2"},
    {"adam-epsilon", "epsilon"},
    {"betas", "beta1"},
    {"eps", "epsilon"},
    {"clip", "max-grad-norm"},
    {"clip-grad-norm", "max-grad-norm"},
    {"clip-norm", "max-grad-norm"},
    {"grad-clip", "max-grad-norm"},
    {"gradient-clip-val", "max-grad-norm"},
    {"ema", "ema-decay"},
    {"early-stopping", "patience"},
    {"early-stopping-patience", "patience"},
    {"monitor", "metric-for-best-model"},
    {"label-smoothing-factor", "label-smoothing"},
    {"class-weights", "class-weight"},
    {"weight", "class-weight"},
    {"manual-seed", "seed"},
    {"random-state", "seed"},
    {"set-seed", "seed"},
    {"tp-size", "tensor-parallel"},
    {"model-name-or-path", "from"},
    {"merge-and-unload", "merge-adapter"},
    {"bf16", "dtype"},
    {"fp16", "dtype"},
    {"precision", "dtype"},
    {"dataloader-num-workers", "num-workers"},
    {"log-every", "logging-steps"},
    {"log-interval", "logging-steps"},
    {"checkpoint-every", "save-steps"},
    {"save-every", "save-steps"},
    {"resume-from-checkpoint", "resume"},
    {"output", "out"},
    {"output-dir", "out"},
    {"save-dir", "out"},
    {"overwrite-output-dir", "overwrite"},
    {"num-threads", "threads"},
    {"num-proc", "threads"},
    // data
    {"data", "train"},
    {"train-data", "train"},
    {"train-file", "train"},
    {"dev", "valid"},
    {"eval-file", "valid"},
    {"valid-file", "valid"},
    {"validation", "valid"},
    {"validation-file", "valid"},
    {"validation-split", "valid-share"},
    {"test-size", "valid-share"},
    {"separator", "label-separator"},
    {"tokenizer-name", "tokenizer"},
    {"src", "source-column"},
    {"tgt", "target-column"},
    {"special-tokens", "special"},
    // answers
    {"beam", "num-beams"},
    {"beam-size", "num-beams"},
    {"max-length", "max-new-tokens"},
    {"max-tokens", "max-new-tokens"},
    {"min-length", "min-new-tokens"},
    {"suppress-tokens", "suppress-token"},
    {"begin-suppress-tokens", "begin-suppress-token"},
    {"forced-bos-token-id", "forced-bos-token"},
    {"forced-eos-token-id", "forced-eos-token"},
    {"num-samples", "num-return-sequences"},
    {"stop-strings", "stop"},
    {"end", "eos-token"},
    {"eos-token-id", "eos-token"},
    {"top-k", "top"},
    {"reference", "references"},
    {"refs", "references"},
};

const std::multimap<std::string, std::string>& names_of_others() {
  static const std::multimap<std::string, std::string> names(std::begin(kNamesOfOthers),
                                                             std::end(kNamesOfOthers));
  return names;
}

}  // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& known) {
  if (typed.size() > 64) return {};
  std::string best;
  size_t fewest = typed.size() < 3 ? 1 : typed.size() / 3 + 1;  // a third of the word, at most
  for (const std::string& word : known) {
    const size_t edits = distance(typed, word);
    if (edits < fewest || (edits == fewest && best.empty() && edits < word.size() / 2)) {
      best = word;
      fewest = edits;
    }
  }
  if (!best.empty() || typed.size() < 3) return best;
  // The beginning of a word, or a part between its hyphens; then a word that goes on.
  for (const std::string& word : known) {
    if (word.starts_with(typed) || word.ends_with("-" + std::string(typed))) return word;
  }
  for (const std::string& word : known) {
    if (word.size() > 2 && typed.starts_with(word + "-") && word.size() > best.size()) best = word;
  }
  return best;
}

std::string option_called(const Options& options, const std::string& name) {
  std::string dashed = name.substr(0, name.find('='));
  std::transform(dashed.begin(), dashed.end(), dashed.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  if (options.has(dashed)) return dashed;
  const auto [begin, end] = names_of_others().equal_range(dashed);
  for (auto each = begin; each != end; ++each) {
    if (options.has(each->second)) return each->second;
  }
  return {};
}

std::string similar_option(const Options& options, const std::string& typed) {
  const std::string called = option_called(options, typed);
  if (!called.empty()) return called;
  std::vector<std::string> known;
  for (const OptionInfo& option : options.all()) {
    for (const std::string& each : option.names) {
      if (each.starts_with("--")) known.push_back(each.substr(2));
    }
  }
  return nearest(typed, known);
}

std::string did_you_mean(const std::string& name) {
  return name.empty() ? std::string() : "; did you mean " + name + "?";
}

}  // namespace heed::cli
