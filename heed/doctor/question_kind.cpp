// Questions: about texts that hold the answers (SQuAD), or about stories (bAbI).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/rows.h"
#include "heed/data/texts/question_data.h"
#include "heed/doctor/data_kind.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr size_t kLooked = size_t{1} << 20;  // bytes

bool are_stories(data::TextLines& lines, const DataToCheck& asked) {
  return lines.kind(asked.reading.format, asked.reading.delimiter).format == data::Format::kStories;
}

// Stories, or objects with a question and what it is about.
bool are_questions(const DataToCheck& asked) {
  const std::filesystem::path& file = asked.splits[0].files[0];
  if (file == "-") return false;  // it is read once
  data::DataReport ignored;
  data::TextLines lines(file, {.encoding = asked.reading.encoding}, ignored);
  if (are_stories(lines, asked)) return true;
  const std::string_view head = lines.reader().peek(kLooked);
  const auto has = [&](std::string_view name) { return head.find(name) != head.npos; };
  return data::are_spans(file) && has("\"question\"") && has("\"context\"");
}

// Questions as samples whose texts are the questions and whose targets what they are about; of
// stories the answers are labels.
struct Questions {
  Data questions;
  Data texts;  // each text of a split once
  int64_t without_words = 0;
  std::vector<std::string> examples = {};
  OrderedJson unanswered = OrderedJson::object();  // of each split, of texts
};

void add_question(Split& split, const std::string& file, int64_t line, const std::string& question,
                  const std::string& about, Questions& all) {
  Sample& sample = split.samples.emplace_back();
  sample.text = question;
  sample.target = about;
  sample.file = file_index(split, file);
  sample.line = line;
  if (!bare_text(question).empty()) return;
  ++all.without_words;
  if (all.examples.size() < kExamples) {
    all.examples.push_back(text_of(split.name, ", ", split.where(sample), ", question ",
                                   split.samples.size(), ": ", beginning(question)));
  }
}

void read_texts(const SplitFiles& files, const DataToCheck& asked, Questions& all) {
  Split& split = all.questions.splits.emplace_back();
  Split& texts = all.texts.splits.emplace_back();
  split.name = texts.name = files.name;
  std::set<std::string> known;
  int64_t unanswered = 0;
  for (const std::filesystem::path& file : files.files) {
    const data::SpanData read = data::read_spans(file, data::Answers::kRequired,
                                                 all.questions.reading, asked.reading.limits);
    for (const data::SpanQuestion& each : read.questions) {
      const std::string& context = read.contexts[each.context];
      add_question(split, read.file, each.line, each.question, context, all);
      unanswered += each.answers.empty() ? 1 : 0;
      if (!known.insert(context).second) continue;
      Sample& text = texts.samples.emplace_back();
      text.text = context;
      text.file = file_index(texts, read.file);
      text.line = each.line;
    }
  }
  all.unanswered[files.name] = unanswered;
}

void read_stories(const SplitFiles& files, const DataToCheck& asked, Questions& all) {
  Split& split = all.questions.splits.emplace_back();
  split.name = files.name;
  for (const std::filesystem::path& file : files.files) {
    const data::StoryData read =
        data::read_stories(file, all.questions.reading, asked.reading.limits);
    for (const data::StoryQuestion& each : read.questions) {
      add_question(split, read.file, each.line, each.question, joined(each.story, " "), all);
      auto& labels = all.questions.labels;
      auto found = std::find(labels.begin(), labels.end(), each.answer);
      if (found == labels.end()) found = labels.insert(found, each.answer);
      split.samples.back().labels = {static_cast<int32_t>(found - labels.begin())};
    }
  }
}

void check_words(const Questions& all, Report& report) {
  report.made("empty questions");
  if (all.without_words == 0) return;
  report.add({.check = "empty questions",
              .severity = Severity::kWarning,
              .summary = text_of(all.without_words,
                                 all.without_words == 1 ? " question has" : " questions have",
                                 " no words"),
              .advice = "remove them: nothing is asked",
              .examples = all.examples});
}

// The same question about the same text: once each as a sample.
Data asked_of_one_text(const Data& questions) {
  Data keys = questions;
  for (Split& split : keys.splits) {
    for (Sample& sample : split.samples) {
      sample.text = bare_text(sample.text) + '\n' + sample.target;
      sample.target.clear();
    }
  }
  return keys;
}

void check_questions(const DataToCheck& asked, Report& report) {
  for (const SplitFiles& split : asked.splits) {
    check_usage(std::count(split.files.begin(), split.files.end(), "-") == 0,
                "questions: expected files, which are read twice, got '-'");
  }
  data::DataReport ignored;
  data::TextLines lines(asked.splits[0].files[0], {.encoding = asked.reading.encoding}, ignored);
  const bool stories = are_stories(lines, asked);
  Questions all;
  for (const SplitFiles& files : asked.splits) {
    stories ? read_stories(files, asked, all) : read_texts(files, asked, all);
  }
  report.made("answers");
  begin_report(all.questions, report);
  check_words(all, report);
  check_duplicates(asked_of_one_text(all.questions), report,
                   {.one = "question", .many = "questions", .words = false});
  if (stories) {
    check_balance(all.questions, report);
  } else {
    report.numbers["without_answer"] = all.unanswered;
    check_duplicates(all.texts, report);
    check_lengths(all.texts, asked.lengths, report);
    LengthOptions of_questions = asked.lengths;
    of_questions.max_length = std::max<int64_t>(1, asked.lengths.max_length / 2);
    of_questions.name = "lengths of questions";
    of_questions.what = "questions";
    of_questions.unknown = false;
    Data questions = all.questions;
    for (Split& split : questions.splits) {
      for (Sample& sample : split.samples) sample.target.clear();
    }
    check_lengths(questions, of_questions, report);
  }
  check_characters(all.questions, report);
}

}  // namespace

DataKind questions_kind() { return {.task = "qa", .is = are_questions, .check = check_questions}; }

}  // namespace heed::doctor
