// SentencePiece's model files, and what tokenizers of each class that are made of one make of a few
// texts.
#include "heed/text/tokenizer_directory.h"

#include <nlohmann/json.hpp>
#include "tests/fuzz/tokenizer_texts.h"

namespace heed::fuzz {
using namespace heed::text;

// The first byte chooses the class.
void one(std::string_view input) {
  static const ScratchFile model("tokenizer.model");
  static const std::filesystem::path folder = model.path().parent_path();
  static constexpr const char* kModels[] = {"t5",        "albert", "xlm-roberta", "camembert",
                                            "something", "gemma",  "llama"};
  if (input.empty()) return;
  const size_t kind = static_cast<uint8_t>(input.front()) % std::size(kModels);
  std::ofstream(folder / "config.json") << "{\"model_type\": \"" << kModels[kind] << "\"}";
  std::ofstream(folder / "tokenizer_config.json")
      << (kind == 6 ? "{\"tokenizer_class\": \"LlamaTokenizer\"}" : "{}");
  model.write(input.substr(1));
  const Tokenizer tokenizer = load_tokenizer(folder).tokenizer;
  expect(Tokenizer::from_json(tokenizer.to_json()).to_json() == tokenizer.to_json());
  for (const std::string& text : texts()) encode(tokenizer, text);
}

}  // namespace heed::fuzz
