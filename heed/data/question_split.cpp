#include "heed/data/question_split.h"

#include <cmath>
#include <iterator>
#include <utility>

#include "heed/base/error.h"

namespace heed::data {
namespace {

// Whether group `number` is held back: the multiples of 1 / share, rounded up.
bool held_back(int64_t number, double share) {
  const auto before = static_cast<double>(number);
  return std::floor((before + 1) * share) > std::floor(before * share);
}

// Moves the questions whose group is held back to another set.
template <typename Data, typename Group>
Data take_share(Data& data, double share, Group group) {
  Data taken = data;
  std::erase_if(data.questions, [&](const auto& each) { return held_back(group(each), share); });
  std::erase_if(taken.questions, [&](const auto& each) { return !held_back(group(each), share); });
  return taken;
}

void check_share(const QuestionFiles& files) {
  check_usage(files.valid_share >= 0 && files.valid_share < 1,
              "valid share: expected a share from 0 up to but not including 1, got ",
              files.valid_share);
}

void check_questions(size_t train, size_t valid, const QuestionFiles& files) {
  const auto check = [&](size_t count, const char* what) {
    if (count > 0) return;
    throw DataError(files.train.empty() ? "questions" : files.train.front().string(),
                    text_of("expected at least one question to ", what, ", got none; ",
                            "give --valid, or another --valid-share"));
  };
  check(train, "learn from");
  check(valid, "validate on");
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
  for (const auto& file : files.train) data.train.push_back(read_stories(file, report));
  for (const auto& file : files.valid) data.valid.push_back(read_stories(file, report));
  report.throw_if_fatal();
  if (files.valid.empty()) {
    for (StoryData& each : data.train) {
      data.valid.push_back(
          take_share(each, files.valid_share, [](const StoryQuestion& q) { return q.number; }));
    }
  }
  size_t train = 0;
  size_t valid = 0;
  for (const StoryData& each : data.train) train += each.questions.size();
  for (const StoryData& each : data.valid) valid += each.questions.size();
  check_questions(train, valid, files);
  return data;
}

SpanTrainingData read_span_training(const QuestionFiles& files, DataReport& report) {
  check_share(files);
  SpanTrainingData data;
  for (const auto& file : files.train) {
    append(data.train, read_spans(file, Answers::kRequired, report));
  }
  for (const auto& file : files.valid) {
    append(data.valid, read_spans(file, Answers::kRequired, report));
  }
  report.throw_if_fatal();
  if (files.valid.empty()) {
    data.valid = take_share(data.train, files.valid_share,
                            [](const SpanQuestion& q) { return static_cast<int64_t>(q.context); });
  }
  check_questions(data.train.questions.size(), data.valid.questions.size(), files);
  return data;
}

}  // namespace heed::data
