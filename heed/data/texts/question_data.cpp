#include "heed/data/texts/question_data.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/json_lines.h"
#include "heed/data/label_set.h"
#include "heed/data/rows.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"

namespace heed::data {
namespace {

// Takes the whole number at the start of `text` away from it; false if there is none.
bool take_number(std::string_view& text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

class StoryReader {
 public:
  explicit StoryReader(TextLines& lines) : lines_(lines) {}

  StoryData read() {
    StoryData data;
    for (std::string line; lines_.next(line);) {
      if (!trimmed(line).empty()) add(line, data);
    }
    if (data.questions.empty()) {
      lines_.report(ProblemKind::kNoExamples, 0, "expected at least one story with a question");
    }
    data.file = lines_.file();
    return data;
  }

 private:
  void add(std::string_view line, StoryData& data) {
    const std::string_view whole = line;
    int64_t number = 0;
    if (!take_number(line, number) || !line.starts_with(' ')) {
      report(ProblemKind::kMalformedRow,
             "expected a number, a blank and a sentence, found " + excerpt(whole, 40));
      return;
    }
    if (number == 1) {
      ++stories_;
      story_.clear();
      places_.clear();
    } else if (number != last_ + 1) {
      report(ProblemKind::kStoryOrder,
             last_ == 0
                 ? text_of("expected a story that begins with line 1, found ", number)
                 : text_of("expected line ", last_ + 1, " of the story, or 1, found ", number));
    }
    last_ = number;
    const size_t tab = line.find('\t');
    if (tab != std::string_view::npos) {
      add_question(line, tab, data);
      return;
    }
    if (trimmed(line).empty()) {
      report(ProblemKind::kEmptyText, "expected a sentence, found only its number");
      return;
    }
    places_[number] = story_.size();
    story_.emplace_back(trimmed(line));
  }

  void add_question(std::string_view line, size_t tab, StoryData& data) {
    StoryQuestion question;
    question.question = trimmed(line.substr(0, tab));
    std::string_view rest = line.substr(tab + 1);
    const size_t second = std::min(rest.find('\t'), rest.size());
    answers_.index_of(rest.substr(0, second),
                      [&](const std::string& detail) { report(ProblemKind::kLookAlike, detail); });
    question.answer = canonical_label(rest.substr(0, second));
    rest.remove_prefix(std::min(second + 1, rest.size()));
    if (question.question.empty() || question.answer.empty()) {
      report(question.answer.empty() ? ProblemKind::kMissingLabel : ProblemKind::kMissingText,
             "expected a question, a tab and its answer, found " + excerpt(line, 40));
      return;
    }
    for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
      int64_t fact = 0;
      if (!take_number(rest, fact)) {
        report(ProblemKind::kMalformedRow,
               "expected numbers of supporting lines, found " + excerpt(rest, 30));
        return;
      }
      const auto place = places_.find(fact);
      if (place == places_.end()) {
        report(ProblemKind::kStoryOrder,
               text_of("supporting line ", fact, ": expected a sentence before the question"));
        return;
      }
      question.facts.push_back(place->second);
    }
    question.story = story_;
    question.number = std::max<int64_t>(stories_ - 1, 0);
    question.line = lines_.line_number();
    data.questions.push_back(std::move(question));
  }

  void report(ProblemKind kind, const std::string& detail) {
    lines_.report(kind, lines_.line_number(), detail);
  }

  TextLines& lines_;
  std::vector<std::string> story_;
  std::map<int64_t, size_t> places_;  // of the lines that are sentences, in story_
  LabelSet answers_ = LabelSet({});
  int64_t stories_ = 0;
  int64_t last_ = 0;
};

// The byte at which character `index` of a text begins; npos beyond its end.
size_t byte_of_character(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) next_code_point(text, at);
  return index == 0 ? at : std::string_view::npos;
}

class SpanReader {
 public:
  SpanReader(Answers wanted, DataReport& report) : wanted_(wanted), report_(report) {}

  // The objects of SQuAD's document.
  void add_document(const JsonValue& document) {
    data_.file = printable(document.file());
    const JsonValue articles = document.json().is_array() ? document : document.at("data");
    for (size_t a = 0; a < articles.array_size(); ++a) {
      if (articles.at(a).has("context")) {  // a question as a line of JSON lines has it
        data_.contexts.push_back(articles.at(a).at("context").string());
        add_question(articles.at(a), data_.contexts.size() - 1, 0);
        continue;
      }
      const JsonValue paragraphs = articles.at(a).at("paragraphs");
      for (size_t p = 0; p < paragraphs.array_size(); ++p) {
        const JsonValue paragraph = paragraphs.at(p);
        data_.contexts.push_back(paragraph.at("context").string());
        const JsonValue questions = paragraph.at("qas");
        for (size_t q = 0; q < questions.array_size(); ++q) {
          add_question(questions.at(q), data_.contexts.size() - 1, 0);
        }
      }
    }
  }

  void add_objects(TextLines& lines, const FileLayout& kind) {
    data_.file = lines.file();
    std::unordered_map<std::string, size_t> known;
    read_json_objects(lines, kind, [&](const JsonValue& object, int64_t line) {
      const std::string& context = object.at("context").string();
      object.at("question").string();  // before the context is kept
      const auto [place, is_new] = known.emplace(context, data_.contexts.size());
      if (is_new) data_.contexts.push_back(context);
      add_question(object, place->second, line);
    });
  }

  SpanData finish() {
    if (data_.questions.empty()) {
      report_.add(ProblemKind::kNoExamples, data_.file, 0, "expected at least one question");
    }
    return std::move(data_);
  }

 private:
  void add_question(const JsonValue& object, size_t context, int64_t line) {
    SpanQuestion question;
    question.context = context;
    question.question = object.at("question").string();
    question.line = line;
    if (object.has("id") && object.at("id").json().is_string()) {
      question.id = object.at("id").string();
    }
    if (trimmed(question.question).empty() || trimmed(data_.contexts[context]).empty()) {
      report(object, line, ProblemKind::kMissingText, "expected a question and its context");
      return;
    }
    if (wanted_ == Answers::kRequired && !add_answers(object, question, line)) return;
    data_.questions.push_back(std::move(question));
  }

  bool add_answers(const JsonValue& object, SpanQuestion& question, int64_t line) {
    const JsonValue answers = object.at("answers");
    if (answers.json().is_object()) {
      const JsonValue texts = answers.at("text");
      const JsonValue starts = answers.at("answer_start");
      if (texts.array_size() != starts.array_size()) {
        starts.fail(text_of(texts.array_size(), " numbers, one for each text"));
      }
      for (size_t i = 0; i < texts.array_size(); ++i) {
        if (!add_answer(texts.at(i), starts.at(i), question, line)) return false;
      }
      return true;
    }
    for (size_t i = 0; i < answers.array_size(); ++i) {
      const JsonValue answer = answers.at(i);
      if (!add_answer(answer.at("text"), answer.at("answer_start"), question, line)) return false;
    }
    return true;
  }

  bool add_answer(const JsonValue& text, const JsonValue& start, SpanQuestion& question,
                  int64_t line) {
    const std::string& context = data_.contexts[question.context];
    const std::string& answer = text.string();
    const int64_t index = start.integer({.least = 0});
    const size_t begin = byte_of_character(context, index);
    if (answer.empty() || begin == std::string_view::npos ||
        context.compare(begin, answer.size(), answer) != 0) {
      const std::string there = begin == std::string_view::npos
                                    ? "the end of the context"
                                    : excerpt(std::string_view(context).substr(begin), 30);
      report(text, line, ProblemKind::kAnswerPlace,
             text_of("expected ", excerpt(answer, 30), " at character ", index, ", found ", there));
      return false;
    }
    const auto byte = static_cast<uint32_t>(begin);
    question.answers.push_back({answer, {byte, byte + static_cast<uint32_t>(answer.size())}});
    return true;
  }

  void report(const JsonValue& value, int64_t line, ProblemKind kind, const std::string& detail) {
    report_.add(kind, data_.file, line,
                line > 0 ? detail : text_of("field '", value.path(), "': ", detail));
  }

  Answers wanted_;
  DataReport& report_;
  SpanData data_;
};

}  // namespace

StoryData read_stories(TextLines& lines) { return StoryReader(lines).read(); }

StoryData read_stories(const std::filesystem::path& file, DataReport& report,
                       const Limits& limits) {
  TextLines lines(file, {.limits = limits}, report);
  return read_stories(lines);
}

bool are_spans(const std::filesystem::path& file) {
  DataReport report;
  FileLayout kind = kind_of({.text = {}, .name = file});
  if (std::filesystem::is_regular_file(file)) {
    kind = TextLines(file, {}, report).kind(Format::kAuto);
  }
  return kind.format == Format::kJson || kind.format == Format::kJsonl;
}

SpanData read_spans(TextLines& lines, const FileLayout& kind, Answers answers, DataReport& report) {
  SpanReader reader(answers, report);
  if (kind.format == Format::kJson) {
    reader.add_document(read_json_document(lines));
  } else {
    reader.add_objects(lines, kind);
  }
  return reader.finish();
}

SpanData read_spans(const std::filesystem::path& file, Answers answers, DataReport& report,
                    const Limits& limits) {
  TextLines lines(file, {.limits = limits}, report);
  FileLayout kind = lines.kind(Format::kAuto);
  if (kind.format != Format::kJson) kind.format = Format::kJsonl;
  return read_spans(lines, kind, answers, report);
}

}  // namespace heed::data
