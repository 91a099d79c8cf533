// What tests/python/test_tokenizer.py asks of Heed's tokenizer. Texts come on standard input, each
// a JSON string on a line of its own, so that they may hold any character.
//
//   tokenizer_tool build '{"vocabulary_size": 100, ...}'  prints the tokenizer.json of the texts
//   tokenizer_tool gpt2 FOLDER, bert FOLDER               the tokenizer.json of the published files
//   tokenizer_tool encode TOKENIZER                       prints [ids, [[begin, end], ...]] of each
//   tokenizer_tool ids TOKENIZER                          prints the ids alone, by the fast way
//   tokenizer_tool decode TOKENIZER                       lines are [id, ...]; prints the texts
//   tokenizer_tool time TOKENIZER                         prints texts a second on one thread
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/text/published.h"
#include "heed/text/tokenizer.h"

namespace {

using heed::Json;
using heed::text::Tokenizer;

void build(const Json& settings) {
  heed::text::WordLevelOptions options;
  options.vocabulary_size = settings.value("vocabulary_size", options.vocabulary_size);
  options.min_frequency = settings.value("min_frequency", options.min_frequency);
  options.normalizers = settings.value("normalizers", options.normalizers);
  options.pre_tokenizers = settings.value("pre_tokenizers", options.pre_tokenizers);
  heed::text::WordLevelBuilder builder(options);
  for (std::string line; std::getline(std::cin, line);) {
    builder.add(Json::parse(line).get<std::string>());
  }
  std::cout << builder.build().to_json();
}

void encode(const Tokenizer& tokenizer) {
  for (std::string line; std::getline(std::cin, line);) {
    const heed::text::Encoding encoding = tokenizer.encode(Json::parse(line).get<std::string>());
    Json offsets = Json::array();
    for (const heed::text::Span& span : encoding.offsets) offsets.push_back({span.begin, span.end});
    std::cout << Json({encoding.ids, offsets}).dump() << '\n';
  }
}

void ids(const Tokenizer& tokenizer) {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Json(tokenizer.encode_ids(Json::parse(line).get<std::string>())).dump() << '\n';
  }
}

void decode(const Tokenizer& tokenizer) {
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<int32_t> tokens = Json::parse(line);
    std::cout << Json(tokenizer.decode(tokens)).dump() << '\n';
  }
}

void time(const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) {
    texts.push_back(Json::parse(line).get<std::string>());
  }
  std::vector<int32_t> ids;
  size_t tokens = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    tokenizer.encode_ids(text, ids);
    tokens += ids.size();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << Json({{"texts_per_second", static_cast<double>(texts.size()) / seconds.count()},
                     {"tokens", tokens}})
                   .dump()
            << '\n';
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) {
    std::cerr << "usage: tokenizer_tool build|gpt2|bert|encode|ids|decode|time ARGUMENT\n";
    return 2;
  }
  const std::string& command = arguments[0];
  if (command == "build") {
    build(Json::parse(arguments[1]));
    return 0;
  }
  const std::filesystem::path path = arguments[1];
  if (command == "gpt2") {
    std::cout << heed::text::load_gpt2(path / "gpt2_bpe_encoder.json", path / "gpt2_bpe_vocab.bpe")
                     .to_json();
    return 0;
  }
  if (command == "bert") {
    std::cout << heed::text::load_bert(path / "bert_base_uncased_vocab.txt").to_json();
    return 0;
  }
  // As the package: special tokens wherever a text spells them.
  const Tokenizer tokenizer = Tokenizer::load(path).with_specials(heed::text::Specials::kAsTokens);
  if (command == "encode") encode(tokenizer);
  if (command == "ids") ids(tokenizer);
  if (command == "decode") decode(tokenizer);
  if (command == "time") time(tokenizer);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::ios::sync_with_stdio(false);
  try {
    return run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    std::cerr << "tokenizer_tool: " << error.what() << '\n';
    return 1;
  }
}
