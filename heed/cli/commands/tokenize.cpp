#include <charconv>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/progress.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/writing/answer_writer.h"
#include "heed/cli/writing/standard_streams.h"
#include "heed/data/rows.h"
#include "heed/io/long_lines.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {
namespace {

// What is learnt.
struct VocabularyOptions {
  std::string kind = "byte_bpe";
  int64_t vocab_size = text::BpeOptions().vocab_size;
  int64_t min_frequency = 0;
  bool lowercase = false;
};

std::vector<std::string> vocabulary_kinds() {
  return {"bpe", "byte_bpe", "wordpiece", "words", "characters"};
}

template <nn::OptionsOf<VocabularyOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "kind",
                  .help = "byte_bpe (spells every text), bpe, wordpiece, words or characters",
                  .choices = vocabulary_kinds},
        o.kind);
  visit(nn::Field{.name = "vocab_size",
                  .help = "How many tokens at most, special ones too",
                  .least = 1,
                  .most = 10'000'000},
        o.vocab_size);
  visit(nn::Field{.name = "min_frequency",
                  .help = "What was seen less often gets no token; 0: as the kind has it",
                  .most = static_cast<double>(int64_t{1} << 40)},
        o.min_frequency);
  visit(nn::Field{.name = "lowercase", .help = "Lower case before anything else", .flag = true},
        o.lowercase);
}

struct TrainSettings {
  std::vector<std::string> files;
  std::string out;
  VocabularyOptions vocabulary;
  std::vector<std::string> special_tokens;
  std::vector<std::string> normalizers;
  bool json = false;
};

// Shows each line of the files to `add`, with a bar over the bytes where they are known.
void for_each_line(const std::vector<std::string>& files,
                   const std::function<void(std::string_view)>& add) {
  int64_t total = 0;
  bool known = true;
  for (const std::string& file : files) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    known = known && !error && !file.ends_with(".gz");
    if (!error) total += static_cast<int64_t>(size);
  }
  ProgressBar bar("reading", known ? total : 0);
  data::DataReport report;
  int64_t done = 0;
  for (const std::string& file : files) {
    data::TextLines lines(file, {}, report);
    for (std::string line; lines.next(line);) {
      add(line);
      done += known ? static_cast<int64_t>(line.size()) + 1 : 1;
      bar.update(done);
    }
  }
  throw_or_warn(report);
  if (done == 0) throw DataError(files.front(), "expected at least one line, found an empty file");
}

// What the command line says instead of the defaults of a kind.
template <typename Options>
Options adjusted(Options options, const TrainSettings& settings) {
  const VocabularyOptions& wanted = settings.vocabulary;
  options.vocab_size = static_cast<int32_t>(wanted.vocab_size);
  if (wanted.min_frequency > 0) options.min_frequency = wanted.min_frequency;
  if (!settings.special_tokens.empty()) options.special_tokens = settings.special_tokens;
  options.normalizers.insert(options.normalizers.begin(), settings.normalizers.begin(),
                             settings.normalizers.end());
  if (wanted.lowercase) options.normalizers.push_back("Lowercase");
  return options;
}

// Words and punctuation, with a mark where a blank stood: decoding gives the text back.
text::BpeOptions bpe_options() {
  text::BpeOptions options;
  options.pre_tokenizers = {"Metaspace", "Punctuation"};
  options.decoder = "Metaspace";
  return options;
}

text::WordLevelOptions word_options() {
  text::WordLevelOptions options;
  options.normalizers = {"NFC"};
  return options;
}

text::Tokenizer train_subwords(const TrainSettings& settings) {
  const bool word_piece = settings.vocabulary.kind == "wordpiece";
  text::BpeOptions options =
      adjusted(word_piece                               ? text::word_piece_options()
               : settings.vocabulary.kind == "byte_bpe" ? text::byte_level_options()
                                                        : bpe_options(),
               settings);
  options.progress = progress_bar("learning merges");
  text::BpeBuilder builder(options);
  for_each_line(settings.files, [&](std::string_view line) { builder.add(line); });
  return word_piece ? builder.build_word_piece() : builder.build();
}

text::Tokenizer train_words(const TrainSettings& settings) {
  text::WordLevelBuilder builder(adjusted(
      settings.vocabulary.kind == "characters" ? text::character_options() : word_options(),
      settings));
  for_each_line(settings.files, [&](std::string_view line) { builder.add(line); });
  return builder.build();
}

void train(const TrainSettings& settings) {
  const bool whole =
      settings.vocabulary.kind == "words" || settings.vocabulary.kind == "characters";
  const text::Tokenizer tokenizer = whole ? train_words(settings) : train_subwords(settings);
  tokenizer.save(settings.out);
  if (settings.json) {
    const nlohmann::ordered_json json = {
        {"file", settings.out}, {"kind", settings.vocabulary.kind}, {"tokens", tokenizer.size()}};
    std::cout << json.dump() << '\n';
  } else {
    std::cout << printable(settings.out) << ": " << settings.vocabulary.kind << ", "
              << tokenizer.size() << " tokens\n";
  }
}

struct UseSettings {
  std::string tokenizer;
  std::string file = "-";
  bool json = false;
  bool tokens = false;
  bool bare = false;
  SpecialTokensOption special;
};

// Answers each line as it comes, what `answer` makes of it; one that has no answer is named and the
// others are answered.
void answer_lines(const UseSettings& settings,
                  const std::function<Answer(std::string_view)>& answer) {
  LineReader lines(settings.file);
  AnswerWriter answers({.json = settings.json}, std::cout, std::cerr);
  const auto refused = [&](std::string_view why) {
    answers.fail(lines.where(), {}, std::string(why));
  };
  for (std::string_view line; next_short(lines, line, refused);) {
    try {
      if (!is_utf8(line)) throw DataError("expected UTF-8, found " + excerpt(line));
      answers.add(lines.where(), {}, answer(line));
    } catch (const DataError& error) {
      refused(error.what());
    }
    if (settings.file == "-") std::cout.flush();
  }
  answers.finish();
}

Answer encoded(const text::Encoding& encoding) {
  Answer answer{.json = {{"ids", encoding.ids},
                         {"tokens", encoding.tokens},
                         {"offsets", OrderedJson::array()}}};
  for (const text::Span& span : encoding.offsets) {
    answer.json["offsets"].push_back({span.begin, span.end});
  }
  return answer;
}

void encode(const UseSettings& settings) {
  const text::Tokenizer tokenizer =
      text::Tokenizer::load(settings.tokenizer)
          .with_specials(settings.special.special_tokens ? text::Specials::kAsTokens
                                                         : text::Specials::kAsText);
  const auto surround = settings.bare ? text::Surround::kNo : text::Surround::kYes;
  std::vector<int32_t> ids;
  answer_lines(settings, [&](std::string_view line) -> Answer {
    if (settings.json) return encoded(tokenizer.encode(line, surround));
    tokenizer.encode_ids(line, ids, surround);
    Answer answer;
    for (const int32_t id : ids) {
      if (!answer.line.empty()) answer.line += ' ';
      answer.line += settings.tokens ? printable(tokenizer.token_of(id)) : std::to_string(id);
    }
    return answer;
  });
}

std::vector<int32_t> ids_of(std::string_view line, const text::Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  constexpr std::string_view kBetween = " \t,[]";
  for (size_t at = line.find_first_not_of(kBetween); at < line.size();) {
    const size_t end = std::min(line.find_first_of(kBetween, at), line.size());
    int32_t id = -1;
    const char* last = line.data() + end;
    const auto [stopped, error] = std::from_chars(line.data() + at, last, id);
    if (error != std::errc() || stopped != last || id < 0 || id >= tokenizer.size()) {
      throw DataError(text_of("expected ids from 0 to ", tokenizer.size() - 1, ", found ",
                              excerpt(line.substr(at, end - at), 30)));
    }
    ids.push_back(id);
    at = std::min(line.find_first_not_of(kBetween, end), line.size());
  }
  return ids;
}

void decode(const UseSettings& settings) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(settings.tokenizer);
  answer_lines(settings, [&](std::string_view line) -> Answer {
    const std::string text = tokenizer.decode(ids_of(line, tokenizer));
    return {.line = as_shown(text), .json = text};
  });
}

void add_use(Options& options, UseSettings& s, const char* file) {
  options.add("--tokenizer", s.tokenizer, "tokenizer.json").required();
  options.add("file", s.file, file);
}

void define_train(Options& options, TrainSettings& s) {
  options.add("files", s.files, "Texts, plain or gzip; - reads standard input")
      .required()
      .repeats();
  options.add("--out", s.out, "Where to write tokenizer.json").required();
  visit_fields(s.vocabulary, FieldOptions(options, {.group = "Vocabulary"}));
  options
      .add("--special", s.special_tokens,
           "Special tokens, which get the first ids; without: as the kind has it")
      .repeats()
      .group("Vocabulary");
  options
      .add("--normalizer", s.normalizers,
           "NFC, NFKC, StripAccents, ... or a JSON object as tokenizer.json has it")
      .repeats()
      .group("Vocabulary");
  options.flag("--json", s.json, "Print the file, the kind and the number of tokens as JSON");
}

void define_encode(Options& options, UseSettings& s) {
  add_use(options, s, "A text on each line; - reads standard input");
  options.flag("--json", s.json, "Print ids, tokens and offsets (bytes) as a JSON object a line");
  options.flag("--tokens", s.tokens, "Print the tokens instead of their ids");
  options.flag("--bare", s.bare, "Without the special tokens around a text ([CLS], [SEP])");
  s.special.add_to(options);
}

void define_decode(Options& options, UseSettings& s) {
  add_use(options, s, "Ids on each line, with blanks between them");
  options.flag("--json", s.json, "Print each text as a JSON string");
}

}  // namespace

Command tokenize_train_command() {
  return {
      .path = "tokenize train",
      .summary = "Learn a vocabulary from texts and write it as tokenizer.json",
      .examples =
          "  heed tokenize train --kind byte_bpe --vocab-size 8000 --out tokenizer.json book.txt\n"
          "  heed tokenize train --kind wordpiece --out tokenizer.json train.en train.de\n",
      .define = with_settings(define_train, train)};
}

Command tokenize_encode_command() {
  return {.path = "tokenize encode",
          .summary = "Turn each line into token ids",
          .examples =
              "  echo 'a good film' | heed tokenize encode --tokenizer tokenizer.json\n"
              "  heed tokenize encode --tokenizer tokenizer.json --json reviews.txt\n",
          .define = with_settings(define_encode, encode)};
}

Command tokenize_decode_command() {
  return {.path = "tokenize decode",
          .summary = "Turn lines of token ids back into texts",
          .examples = "  echo '17 4 9' | heed tokenize decode --tokenizer tokenizer.json\n",
          .define = with_settings(define_decode, decode)};
}

}  // namespace heed::cli
