#include "heed/data/texts/question_split.h"

#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/split.h"

namespace heed::data {
namespace {

// Moves the questions of a share of the groups to another set; a group is told by the number that
// `group` gives a question, and is of the kind of its first question.
template <typename Data, typename Group, typename Kind>
Data take_share(Data& data, const QuestionFiles& files, const Group& group, const Kind& kind) {
  std::map<int64_t, std::string> kinds;  // of the groups
  std::map<std::string, int> count;
  for (const auto& each : data.questions) {
    const auto [place, is_new] = kinds.try_emplace(group(each), kind(each));
    if (is_new) ++count[place->second];
  }
  std::vector<SplitKey> keys;
  for (const auto& each : data.questions) {
    const std::string& name = kinds.at(group(each));
    // Of the only group of its kind nothing could be held back: such groups are one kind together.
    keys.push_back({.kind = count.at(name) > 1 ? name : "", .group = std::to_string(group(each))});
  }
  Data taken = data;
  taken.questions = take_held_back(data.questions, held_back(keys, files.valid_share, files.seed));
  return taken;
}

void check_share(const QuestionFiles& files) {
  check_usage(files.valid_share >= 0 && files.valid_share < 1,
              "valid_share: expected a share from 0 up to but not including 1, got ",
              files.valid_share);
}

void check_questions(size_t train, size_t valid, const QuestionFiles& files, DataReport& report) {
  const auto check = [&](size_t count, const char* what) {
    if (count > 0) return;
    throw DataError(files.train.empty() ? "questions" : files.train.front().string(),
                    text_of("expected at least one question to ", what, ", got none; ",
                            "give --valid, or another --valid-share"));
  };
  check(train, "learn from");
  check(valid, "validate on");
  if (files.valid.empty()) {
    report.note(split_note(valid, train + valid, "questions", files.seed));
  }
}

void check_answers(const std::vector<StoryData>& train, int64_t most) {
  std::set<std::string_view> answers;
  for (const StoryData& file : train) {
    for (const StoryQuestion& each : file.questions) {
      answers.insert(each.answer);
      if (std::ssize(answers) <= most) continue;
      throw DataError(text_of(file.file, ":", each.line),
                      text_of("more than ", most, " different answers, each of which would be a ",
                              "class; give more with most_classes (--max-classes)"));
    }
  }
}

void append(SpanData& all, SpanData more) {
  const size_t before = all.contexts.size();
  if (all.file.empty()) all.file = more.file;
  std::move(more.contexts.begin(), more.contexts.end(), std::back_inserter(all.contexts));
  for (SpanQuestion& question : more.questions) {
    question.context += before;
    all.questions.push_back(std::move(question));
  }
}

}  // namespace

StoryTrainingData read_story_training(const QuestionFiles& files, DataReport& report) {
  check_share(files);
  StoryTrainingData data;
  for (const auto& file : files.train) {
    data.train.push_back(read_stories(file, report, files.limits));
  }
  for (const auto& file : files.valid) {
    data.valid.push_back(read_stories(file, report, files.limits));
  }
  report.throw_if_fatal();
  check_answers(data.train, files.limits.most_classes);
  if (files.valid.empty()) {
    for (StoryData& each : data.train) {
      data.valid.push_back(take_share(
          each, files, [](const StoryQuestion& q) { return q.number; },
          [](const StoryQuestion& q) { return q.answer; }));
    }
  }
  size_t train = 0;
  size_t valid = 0;
  for (const StoryData& each : data.train) train += each.questions.size();
  for (const StoryData& each : data.valid) valid += each.questions.size();
  check_questions(train, valid, files, report);
  return data;
}

SpanTrainingData read_span_training(const QuestionFiles& files, DataReport& report) {
  check_share(files);
  SpanTrainingData data;
  for (const auto& file : files.train) {
    append(data.train, read_spans(file, Answers::kRequired, report, files.limits));
  }
  for (const auto& file : files.valid) {
    append(data.valid, read_spans(file, Answers::kRequired, report, files.limits));
  }
  report.throw_if_fatal();
  if (files.valid.empty()) {
    data.valid = take_share(
        data.train, files, [](const SpanQuestion& q) { return static_cast<int64_t>(q.context); },
        [](const SpanQuestion& q) { return q.answers.empty() ? "no answer" : "answer"; });
  }
  check_questions(data.train.questions.size(), data.valid.questions.size(), files, report);
  return data;
}

}  // namespace heed::data
