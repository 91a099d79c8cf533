// The special tokens that the tokenizer classes of transformers have by themselves.
#include <array>

#include "heed/text/directory/settings.h"

namespace heed::text {
namespace {

// In the order of DirectorySettings::Named; null: none.
using Names = std::array<const char*, DirectorySettings::kNamedTokens>;

//                          bos      eos       unk      sep      pad      cls      mask
constexpr Names kBert = {nullptr, nullptr, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
constexpr Names kAlbert = {"[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"};
constexpr Names kRoberta = {"<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"};
constexpr Names kT5 = {nullptr, "</s>", "<unk>", nullptr, "<pad>", nullptr, nullptr};
constexpr Names kLlama = {"<s>", "</s>", "<unk>", nullptr, nullptr, nullptr, nullptr};
constexpr Names kGemma = {"<bos>", "<eos>", "<unk>", nullptr, "<pad>", nullptr, "<mask>"};
constexpr const char* kEnd = "<|endoftext|>";
constexpr Names kGpt2 = {kEnd, kEnd, kEnd, nullptr, nullptr, nullptr, nullptr};
constexpr Names kGptNeoX = {kEnd, kEnd, kEnd, nullptr, "<|padding|>", nullptr, nullptr};
constexpr Names kQwen2 = {nullptr, kEnd, kEnd, nullptr, kEnd, nullptr, nullptr};

struct Class {
  std::string_view name;
  const Names& names;
};
constexpr Class kClasses[] = {
    {"AlbertTokenizer", kAlbert},
    {"BartTokenizer", kRoberta},
    {"BertTokenizer", kBert},
    {"CamembertTokenizer", kRoberta},
    {"DistilBertTokenizer", kBert},
    {"ElectraTokenizer", kBert},
    {"GPT2Tokenizer", kGpt2},
    {"GPTNeoXTokenizer", kGptNeoX},
    {"GemmaTokenizer", kGemma},
    {"LlamaTokenizer", kLlama},
    {"LongformerTokenizer", kRoberta},
    {"MarianTokenizer", kT5},
    {"MT5Tokenizer", kT5},
    {"Qwen2Tokenizer", kQwen2},
    {"RobertaTokenizer", kRoberta},
    {"T5Tokenizer", kT5},
    {"WhisperTokenizer", kGpt2},
    {"XLMRobertaTokenizer", kRoberta},
};

}  // namespace

void DirectorySettings::set_defaults_of(std::string_view tokenizer_class) {
  for (const Class& known : kClasses) {
    if (known.name != tokenizer_class) continue;
    for (size_t i = 0; i < kNamedTokens; ++i) {
      if (known.names[i] != nullptr) set_default(static_cast<Named>(i), known.names[i]);
    }
  }
}

}  // namespace heed::text
