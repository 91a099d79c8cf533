// What tests/python/test_tokenizer.py asks of Heed's tokenizer. Texts come on standard input, each
// a JSON string on a line of its own, so that they may hold any character.
//
//   tokenizer_tool build '{"vocab_size": 100, ...}'  prints the tokenizer.json of the texts
//   tokenizer_tool gpt2 FOLDER, bert FOLDER               the tokenizer.json of the published files
//   tokenizer_tool encode TOKENIZER                       prints [ids, [[begin, end], ...]] of each
//   tokenizer_tool texts TOKENIZER                        lines are [text] or [first, second], both
//                                                         with special tokens around them; prints
//                                                         [ids, type_ids, offsets, mask] of each
//   tokenizer_tool describe FOLDER                        prints special ids and lengths
//   tokenizer_tool ids TOKENIZER                          prints the ids alone, by the fast way
//   tokenizer_tool json TOKENIZER                         prints its tokenizer.json
//   tokenizer_tool decode TOKENIZER                       lines are [id, ...]; prints the texts
//   tokenizer_tool time TOKENIZER                         prints texts a second on one thread
//
// TOKENIZER is a tokenizer.json, or the folder of a model; FOLDER:target is what such a folder has
// for the texts that the model writes.
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/text/published_tokenizers.h"
#include "heed/text/tokenizer.h"
#include "heed/text/tokenizer_directory.h"

namespace {

using heed::Json;
using heed::text::Tokenizer;

void build(const Json& settings) {
  heed::text::WordLevelOptions options;
  options.vocab_size = settings.value("vocab_size", options.vocab_size);
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

// What encode_ids and encode_pair_ids give must be the same.
void texts(const Tokenizer& tokenizer) {
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string> texts = Json::parse(line);
    const bool pair = texts.size() == 2;
    const heed::text::Encoding encoding =
        pair ? tokenizer.encode_pair(texts[0], texts[1]) : tokenizer.encode(texts.at(0));
    const bool same =
        pair ? tokenizer.encode_pair_ids(texts[0], texts[1]).ids == encoding.ids &&
                   tokenizer.encode_pair_ids(texts[0], texts[1]).type_ids == encoding.type_ids
             : tokenizer.encode_ids(texts[0]) == encoding.ids;
    if (!same) throw heed::DataError("other ids without offsets: " + line);
    Json offsets = Json::array();
    for (const heed::text::Span& span : encoding.offsets) offsets.push_back({span.begin, span.end});
    std::cout
        << Json({encoding.ids, encoding.type_ids, offsets, encoding.special_tokens_mask()}).dump()
        << '\n';
  }
}

Json or_null(std::optional<int32_t> id) { return id ? Json(*id) : Json(nullptr); }

void describe(const std::filesystem::path& folder) {
  const heed::text::LoadedTokenizer loaded = heed::text::load_tokenizer(folder);
  const heed::text::SpecialIds& ids = loaded.special;
  Json files = Json::array();
  for (const auto& file : loaded.files) files.push_back(file.filename().string());
  std::cout << Json({{"bos_token", or_null(ids.bos)},
                     {"eos_token", or_null(ids.eos)},
                     {"unk_token", or_null(ids.unk)},
                     {"sep_token", or_null(ids.sep)},
                     {"pad_token", or_null(ids.pad)},
                     {"cls_token", or_null(ids.cls)},
                     {"mask_token", or_null(ids.mask)},
                     {"max_length", or_null(loaded.max_length)},
                     {"size", loaded.tokenizer.size()},
                     {"left", loaded.padding_side == heed::text::LoadedTokenizer::Side::kLeft},
                     {"files", files}})
                   .dump()
            << '\n';
}

// As the package: special tokens wherever a text spells them.
Tokenizer load(const std::string& argument) {
  constexpr std::string_view kTarget = ":target";
  const auto as_tokens = [](const Tokenizer& tokenizer) {
    return tokenizer.with_specials(heed::text::Specials::kAsTokens);
  };
  if (argument.ends_with(kTarget)) {
    return as_tokens(
        heed::text::load_tokenizer(argument.substr(0, argument.size() - kTarget.size()))
            .target.value());
  }
  if (std::filesystem::is_directory(argument)) {
    return as_tokens(heed::text::load_tokenizer(argument).tokenizer);
  }
  return as_tokens(Tokenizer::load(argument));
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
    std::cerr << "usage: tokenizer_tool "
                 "build|gpt2|bert|describe|encode|texts|ids|decode|json|time ARGUMENT\n";
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
  if (command == "describe") {
    describe(path);
    return 0;
  }
  const Tokenizer tokenizer = load(arguments[1]);
  if (command == "json") std::cout << tokenizer.to_json();
  if (command == "texts") texts(tokenizer);
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
