#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/reading/text_files.h"
#include "heed/cli/writing/score_json.h"
#include "heed/data/texts/ner_data.h"
#include "heed/data/texts/question_data.h"
#include "heed/metrics/answers.h"
#include "heed/metrics/bleu.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/entities.h"
#include "heed/metrics/error_rates.h"
#include "heed/metrics/rouge.h"

namespace heed::cli {
namespace {

using nlohmann::ordered_json;

// What every measure of texts is asked with.
struct ScoreSettings {
  std::string file;
  std::vector<std::string> references;
  bool lowercase = false;
  bool sentences = false;
  bool json = false;
  std::string tokenize = "13a";
  std::string smoothing = "exp";
  int64_t character_order = 6;
  int64_t word_order = 0;
  double beta = 2;
  std::string scheme = "none";
};

// Texts and the references of each.
struct Texts {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
};

Texts read(const ScoreSettings& settings, Before before = Before::kNothing) {
  Texts texts;
  texts.hypotheses = answers_of(settings.file, before);
  texts.references.resize(texts.hypotheses.size());
  for (const std::string& file : settings.references) {
    const std::vector<std::string> lines = lines_of(file);
    check_line_counts(settings.file, texts.hypotheses.size(), file, lines.size());
    for (size_t i = 0; i < lines.size(); ++i) texts.references[i].push_back(lines[i]);
  }
  if (texts.hypotheses.empty()) throw DataError(settings.file, "expected at least one line");
  return texts;
}

metrics::LetterCase letters(const ScoreSettings& settings) {
  return settings.lowercase ? metrics::LetterCase::kLower : metrics::LetterCase::kKept;
}

void print_bleu(const ScoreSettings& settings) {
  metrics::BleuOptions options;
  options.tokens = metrics::bleu_tokens_named(settings.tokenize);
  options.letters = letters(settings);
  options.smoothing = metrics::bleu_smoothing_named(settings.smoothing);
  const auto values = [](const metrics::BleuScore& score) {
    return ordered_json{{"bleu", score.score},
                        {"precisions", score.precisions},
                        {"brevity_penalty", score.brevity_penalty},
                        {"words", score.words},
                        {"reference_words", score.reference_words}};
  };
  const Texts texts = read(settings);
  if (settings.sentences) {
    options.orders = metrics::BleuOptions::Orders::kEffective;
    for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
      metrics::Bleu bleu(options);
      bleu.add(texts.hypotheses[i], texts.references[i]);
      if (settings.json) {
        print_values(values(bleu.score()), true);
      } else {
        std::cout << bleu.score().score << '\n';
      }
    }
    return;
  }
  metrics::Bleu bleu(options);
  for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
    bleu.add(texts.hypotheses[i], texts.references[i]);
  }
  print_values(values(bleu.score()), settings.json);
}

void print_chrf(const ScoreSettings& settings) {
  const metrics::ChrfOptions options = {.character_order = settings.character_order,
                                        .word_order = settings.word_order,
                                        .beta = settings.beta,
                                        .letters = letters(settings)};
  const Texts texts = read(settings);
  metrics::Chrf all(options);
  for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
    all.add(texts.hypotheses[i], texts.references[i]);
    if (settings.sentences) {
      metrics::Chrf one(options);
      one.add(texts.hypotheses[i], texts.references[i]);
      settings.json ? print_values({{"chrf", one.score()}}, true)
                    : void(std::cout << one.score() << '\n');
    }
  }
  if (!settings.sentences) print_values({{"chrf", all.score()}}, settings.json);
}

void print_wer(const ScoreSettings& settings) {
  const auto print = [&](const metrics::ErrorRate& words, const metrics::ErrorRate& characters) {
    print_values({{"wer", words.rate()}, {"cer", characters.rate()}, {"words", words.length}},
                 settings.json);
  };
  const Texts texts = read(settings, Before::kFile);
  metrics::ErrorRate words, characters;
  for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
    const std::string& right = texts.references[i].front();
    const auto of_words = metrics::word_errors(right, texts.hypotheses[i]);
    const auto of_characters = metrics::character_errors(right, texts.hypotheses[i]);
    if (settings.sentences) print(of_words, of_characters);
    words.add(of_words);
    characters.add(of_characters);
  }
  if (!settings.sentences) print(words, characters);
}

void print_rouge(const ScoreSettings& settings) {
  const auto print = [&](const metrics::RougeScores& scores) {
    ordered_json values;
    ordered_json details;
    const auto add = [&](const char* name, const metrics::RougeValue& value) {
      values[name] = value.f1;
      details[name] = {{"precision", value.precision}, {"recall", value.recall}, {"f1", value.f1}};
    };
    add("rouge1", scores.rouge1);
    add("rouge2", scores.rouge2);
    add("rougeL", scores.rouge_l);
    add("rougeLsum", scores.rouge_lsum);
    if (settings.json) values["details"] = details;
    print_values(values, settings.json);
  };
  const Texts texts = read(settings);
  metrics::Rouge all;
  for (size_t i = 0; i < texts.hypotheses.size(); ++i) {
    all.add(texts.hypotheses[i], texts.references[i]);
    if (settings.sentences) print(metrics::rouge(texts.hypotheses[i], texts.references[i]));
  }
  if (!settings.sentences) print(all.mean());
}

std::vector<std::string> words_in(const std::string& cell) {
  std::istringstream words(cell);
  return {std::istream_iterator<std::string>(words), {}};
}

// Tags as they stand in a file, or in a table that `heed predict` wrote.
data::NerData tags_of(const std::string& file) {
  if (const auto rows = columns_of(file, {"tokens", "tags"})) {
    data::NerData data{.file = file};
    for (const data::Row& row : *rows) {
      data.sentences.push_back({.words = words_in(row.cells[0]),
                                .tags = words_in(row.cells[1]),
                                .line = row.line,
                                .file = file});
    }
    return data;
  }
  data::DataReport report;
  auto data = data::read_ner(file, {.tags = data::NerReadOptions::Tags::kAny}, report);
  throw_or_warn(report);
  return data;
}

void print_ner(const ScoreSettings& settings) {
  std::optional<text::TagScheme> strict;
  if (settings.scheme != "none") strict = text::tag_scheme_named(settings.scheme);
  const data::NerData predicted = tags_of(settings.file);
  const data::NerData actual = tags_of(settings.references.front());
  if (predicted.sentences.size() != actual.sentences.size()) {
    throw DataError(predicted.file,
                    text_of("expected ", actual.sentences.size(), " sentences as in ", actual.file,
                            ", found ", predicted.sentences.size()));
  }
  metrics::EntityCounts counts(strict);
  for (size_t i = 0; i < actual.sentences.size(); ++i) {
    const auto& right = actual.sentences[i];
    const auto& guess = predicted.sentences[i];
    if (right.tags.size() != guess.tags.size()) {
      throw DataError(text_of(predicted.file, ":", guess.line),
                      text_of("expected a sentence of ", right.tags.size(), " words as in ",
                              actual.file, ":", right.line, ", found ", guess.tags.size()));
    }
    counts.add(right.tags, guess.tags);
  }
  if (!settings.json) {
    std::cout << counts.report();
    return;
  }
  ordered_json values = {{"micro", json_of(counts.micro())},
                         {"macro", json_of(counts.macro())},
                         {"weighted", json_of(counts.weighted())},
                         {"types", ordered_json::object()}};
  const auto types = counts.types();
  const auto scores = counts.per_type();
  for (size_t i = 0; i < types.size(); ++i) values["types"][types[i]] = json_of(scores[i]);
  print_values(values, true);
}

// The right answers of each question: of a SQuAD file, or a line each with tabs between them.
std::vector<std::vector<std::string>> right_answers(const std::string& file) {
  std::vector<std::vector<std::string>> answers;
  if (data::are_spans(file)) {
    data::DataReport report;
    for (const auto& question : read_spans(file, data::Answers::kRequired, report).questions) {
      answers.emplace_back();
      for (const auto& answer : question.answers) answers.back().push_back(answer.text);
      if (answers.back().empty()) answers.back().push_back("");
    }
    throw_or_warn(report);
    return answers;
  }
  for (const std::string& line : lines_of(file)) {
    answers.emplace_back();
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      answers.back().push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return answers;
}

void print_qa(const ScoreSettings& settings) {
  const std::vector<std::string> answers = answers_of(settings.file);
  const std::string& reference = settings.references.front();
  const auto right = right_answers(reference);
  check_line_counts(reference, right.size(), settings.file, answers.size());
  if (answers.empty()) throw DataError(settings.file, "expected at least one line");
  metrics::AnswerScores all;
  for (size_t i = 0; i < answers.size(); ++i) {
    all.add(answers[i], right[i]);
    if (settings.sentences) {
      const metrics::AnswerScore score = metrics::answer_score(answers[i], right[i]);
      print_values({{"exact_match", score.exact}, {"f1", score.f1}}, settings.json);
    }
  }
  if (settings.sentences) return;
  print_values({{"exact_match", all.mean().exact}, {"f1", all.mean().f1}, {"answers", all.count()}},
               settings.json);
}

// What all measures share.
struct Files {
  const char* file;  // what help says of it
  const char* references;
  int most_references = 1;
};
void add_files(Options& options, ScoreSettings& s, const Files& files) {
  options.add("file", s.file, files.file).required();
  options.add("--references", s.references, files.references)
      .required()
      .repeats()
      .at_most(files.most_references);
  options.flag("--json", s.json, "Print a JSON object");
}

constexpr Files kTexts = {
    .file = "A text on each line, or what heed predict writes; - reads standard input",
    .references = "Files with as many lines: the right texts",
    .most_references = 64};

void add_lowercase(Options& options, ScoreSettings& settings) {
  options.flag("--lowercase", settings.lowercase, "Compare in lower case");
}

void add_sentences(Options& options, ScoreSettings& settings) {
  options.flag("--sentences", settings.sentences, "A score for each line instead of one for all");
}

void define_bleu(Options& options, ScoreSettings& s) {
  add_files(options, s, kTexts);
  options.add("--tokenize", s.tokenize, "How texts become words; none: at blanks")
      .one_of(metrics::bleu_tokens_names());
  options.add("--smoothing", s.smoothing, "What becomes of n-grams without a match: exp or none")
      .one_of(metrics::bleu_smoothing_names());
  add_lowercase(options, s);
  add_sentences(options, s);
}

void define_chrf(Options& options, ScoreSettings& s) {
  add_files(options, s, kTexts);
  options.add("--char-order", s.character_order, "The longest n-gram of characters").range(1, 100);
  options.add("--word-order", s.word_order, "The longest n-gram of words; 2 gives chrF++")
      .range(0, 100);
  options.add("--beta", s.beta, "How much more recall counts").above(0);
  add_lowercase(options, s);
  add_sentences(options, s);
}

void define_rouge(Options& options, ScoreSettings& s) {
  add_files(options, s, kTexts);
  add_sentences(options, s);
}

void define_wer(Options& options, ScoreSettings& s) {
  add_files(options, s,
            {.file = "What was recognised, a line each, or what heed predict writes",
             .references = "A file with as many lines: what was said"});
  add_sentences(options, s);
}

void define_ner(Options& options, ScoreSettings& s) {
  add_files(options, s,
            {.file = "Predicted tags: CoNLL columns, JSON lines, or a table of heed predict",
             .references = "The same sentences with the right tags"});
  std::vector<std::string> schemes = text::tag_scheme_names();
  schemes.insert(schemes.begin(), "none");
  options.add("--strict", s.scheme, "Count only what is tagged wholly as this scheme wants it")
      .one_of(schemes);
}

void define_qa(Options& options, ScoreSettings& s) {
  add_files(options, s,
            {.file = "An answer on each line, or what heed predict writes",
             .references = "The right ones: SQuAD's JSON, or a line each, tabs between several"});
  add_sentences(options, s);
}

}  // namespace

Command score_bleu_command() {
  return {.path = "score bleu",
          .summary = "BLEU of translations, as sacrebleu counts it",
          .examples =
              "  heed score bleu translations.de --references test.de\n"
              "  heed score bleu out.txt --references a.txt b.txt --lowercase --json\n",
          .define = with_settings(define_bleu, print_bleu)};
}

Command score_chrf_command() {
  return {.path = "score chrf",
          .summary = "chrF and chrF++ of translations, as sacrebleu counts them",
          .examples =
              "  heed score chrf translations.de --references test.de\n"
              "  heed score chrf translations.de --references test.de --word-order 2\n",
          .define = with_settings(define_chrf, print_chrf)};
}

Command score_rouge_command() {
  return {.path = "score rouge",
          .summary = "ROUGE-1, -2, -L and -Lsum (F1) of summaries",
          .examples = "  heed score rouge summaries.txt --references test.txt\n",
          .define = with_settings(define_rouge, print_rouge)};
}

Command score_wer_command() {
  return {.path = "score wer",
          .summary = "Word and character error rate of what was recognised, as jiwer counts them",
          .examples = "  heed score wer recognised.txt --references said.txt\n",
          .define = with_settings(define_wer, print_wer)};
}

Command score_ner_command() {
  return {.path = "score ner",
          .summary = "Precision, recall and F1 of named entities, as seqeval counts them",
          .examples =
              "  heed score ner predicted.conll --references test.conll\n"
              "  heed score ner predicted.conll --references test.conll --strict bio\n",
          .define = with_settings(define_ner, print_ner)};
}

Command score_qa_command() {
  return {.path = "score qa",
          .summary = "Exact match and F1 of answers, as SQuAD counts them",
          .examples = "  heed score qa answers.txt --references dev.jsonl\n",
          .define = with_settings(define_qa, print_qa)};
}

}  // namespace heed::cli
