// What only shows in the whole of training and validation data.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "heed/base/error.h"
#include "heed/data/split.h"
#include "heed/data/texts/classification_data.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

// The same for texts that differ only in white space and in the case of ASCII letters.
std::string comparable(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  bool gap = false;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      gap = !result.empty();
      continue;
    }
    if (gap) result += ' ';
    gap = false;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
  }
  return result;
}

using TextIndex = std::unordered_map<std::string, const Example*>;

// The first example of each text.
TextIndex index_texts(const ClassificationData& data) {
  TextIndex index;
  index.reserve(data.examples.size());
  for (const Example& example : data.examples) index.emplace(comparable(example.text), &example);
  return index;
}

std::vector<int64_t> examples_per_class(const ClassificationData& data) {
  std::vector<int64_t> counts(data.label_names.size(), 0);
  for (const Example& example : data.examples) {
    if (example.label) ++counts[static_cast<size_t>(*example.label)];
    for (const int32_t label : example.labels) ++counts[static_cast<size_t>(label)];
  }
  return counts;
}

void report_empty_classes(const ClassificationData& data, ProblemKind kind, DataReport& report) {
  const std::vector<int64_t> counts = examples_per_class(data);
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] == 0) {
      report.add(
          kind, data.name(), 0,
          "expected an example of every class, found none of " + excerpt(data.label_names[label]));
    }
  }
}

// A share of each class, the same text always on one side.
ClassificationData take_validation(ClassificationData& train, const TrainingFiles& files,
                                   DataReport& report) {
  std::vector<SplitKey> keys;
  for (const Example& example : train.examples) {
    std::string kind = example.label ? std::to_string(*example.label) : "";
    for (const int32_t label : example.labels) kind += text_of(label, " ");
    keys.push_back({.kind = kind, .group = comparable(example.text)});
  }
  const size_t all = keys.size();
  ClassificationData valid = {.files = train.files, .label_names = train.label_names};
  valid.examples = take_held_back(train.examples, held_back(keys, files.valid_share, files.seed));
  report.note(split_note(valid.examples.size(), all, "examples", files.seed));
  if (valid.examples.empty()) {
    report.add(ProblemKind::kNoExamples, train.name(), 0,
               "expected enough examples to hold some back for validation, of one class several; "
               "give a file with --valid");
  }
  return valid;
}

size_t standard_inputs(const TrainingFiles& files) {
  return static_cast<size_t>(std::count(files.train.begin(), files.train.end(), "-") +
                             std::count(files.valid.begin(), files.valid.end(), "-"));
}

}  // namespace

void check_training_data(const ClassificationData& train, DataReport& report) {
  if (train.examples.empty()) return;  // reported when it was read
  const bool several = std::any_of(train.examples.begin(), train.examples.end(),
                                   [](const Example& example) { return !example.label; });
  if (train.label_names.size() < (several ? 1U : 2U)) {
    report.add(
        ProblemKind::kOneClass, train.name(), 0,
        text_of("expected at least two classes, found ",
                train.label_names.empty() ? "none" : "only " + excerpt(train.label_names[0])));
  }
  report_empty_classes(train, ProblemKind::kEmptyClass, report);
  const TextIndex first = index_texts(train);
  for (const Example& example : train.examples) {
    const Example& other = *first.find(comparable(example.text))->second;
    if (example.label == other.label || !example.label || !other.label) continue;
    const auto name = [&](const Example& of) {
      return excerpt(train.label_names[static_cast<size_t>(*of.label)], 30);
    };
    report.add(
        ProblemKind::kTwoLabels, train.files[example.file], example.line,
        text_of("labelled ", name(example), " here and ", name(other), " in ",
                example.file == other.file ? text_of("line ", other.line) : train.where(other),
                ": ", excerpt(example.text, 40)));
  }
}

void check_validation_data(const ClassificationData& train, const ClassificationData& valid,
                           DataReport& report) {
  if (valid.examples.empty()) return;  // reported when it was read
  report_empty_classes(valid, ProblemKind::kEmptyClassValid, report);
  const TextIndex training = index_texts(train);
  for (const Example& example : valid.examples) {
    const auto found = training.find(comparable(example.text));
    if (found == training.end()) continue;
    report.add(
        ProblemKind::kRepeatedText, valid.files[example.file], example.line,
        text_of("the same text as ", train.where(*found->second), ": ", excerpt(example.text, 40)));
  }
}

TrainingData read_training_data(const TrainingFiles& files, const ReadOptions& options,
                                DataReport& report) {
  check_usage(options.labels == Labels::kRequired,
              "training needs labels: expected "
              "Labels::kRequired");
  check_usage(standard_inputs(files) < 2,
              "training and validation data cannot both come from standard input");
  TrainingData data;
  data.train = read_classification(files.train, options, report);
  check_training_data(data.train, report);
  if (!files.valid.empty()) {
    ReadOptions valid_options = options;
    valid_options.label_names = data.train.label_names;
    // What --text-column and --label-column do not name is taken as in the training data.
    valid_options.known_text_column = data.train.text_column;
    valid_options.known_label_column = data.train.label_column;
    data.valid = read_classification(files.valid, valid_options, report);
    check_validation_data(data.train, *data.valid, report);
  } else if (files.valid_share > 0 && report.fatal_count() == 0) {
    data.valid = take_validation(data.train, files, report);
    check_validation_data(data.train, *data.valid, report);
  }
  report.throw_if_fatal();
  return data;
}

}  // namespace heed::data
