// SentencePiece's model files, and what tokenizers of each class that are made of one make of a few
// texts.
#include <string>

#include "heed/text/tokenizer_directory.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::text;

void encode(const Tokenizer& tokenizer, const std::string& text) {
  const Encoding encoding = tokenizer.encode(text);
  expect(encoding.ids == tokenizer.encode_ids(text));
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    expect(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.size());
    expect(encoding.offsets[i].begin <= encoding.offsets[i].end);
    expect(encoding.offsets[i].end <= text.size());
  }
  tokenizer.decode(encoding.ids);
}

}  // namespace

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
  for (const std::string& text :
       {std::string(), std::string("ab a  b\n"), std::string(" Hello, é漢😀e\u0301\t<s>[PAD]\r\n1"),
        std::string(60, 'a'), std::string("\0\u0085İ ﬁ", 10)}) {
    try {
      encode(tokenizer, text);
    } catch (const DataError&) {
    }
  }
}

}  // namespace heed::fuzz
