// How many samples of each class, how long the texts, and how much of them is unknown.
#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/checks.h"
#include "heed/io/utf8.h"
#include "heed/text/tokenizer.h"
#include "heed/text/words/word_split.h"

namespace heed::doctor {
namespace {

constexpr int64_t kFew = 10;      // samples of a class, too few to learn from
constexpr double kUneven = 10;    // the largest class so many times the smallest
constexpr double kMoved = 0.1;    // of a class's share, from one split to another
constexpr int64_t kEnough = 100;  // samples of a split whose shares mean something
constexpr double kManyUnknown = 0.1;
constexpr size_t kListed = 50;  // classes in the numbers of a report

std::vector<int64_t> counts_of(const Data& data, const Split& split) {
  std::vector<int64_t> counts(data.labels.size(), 0);
  for (const Sample& sample : split.samples) {
    for (const int32_t label : sample.labels) ++counts[static_cast<size_t>(label)];
  }
  return counts;
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string class_text(const Data& data, size_t label, int64_t count) {
  return text_of(excerpt(data.labels[label]), ": ", count);
}

void compare_with_training(const Data& data, const std::vector<int64_t>& train, const Split& split,
                           Report& report) {
  const std::vector<int64_t> counts = counts_of(data, split);
  const auto all = std::ssize(split.samples), train_all = std::ssize(data.splits[0].samples);
  std::vector<std::string> missing, moved;
  for (size_t c = 0; c < counts.size(); ++c) {
    const double there = share(counts[c], all), here = share(train[c], train_all);
    if (counts[c] == 0) {
      missing.push_back(excerpt(data.labels[c]));
    } else if (std::min(all, train_all) >= kEnough && std::abs(there - here) > kMoved) {
      moved.push_back(excerpt(data.labels[c]) +
                      formatted(": %.0f %% there, %.0f %% in training", 100 * there, 100 * here));
    }
  }
  if (!missing.empty()) {
    missing.resize(std::min(missing.size(), kExamples));
    report.add({.check = "class balance",
                .severity = Severity::kWarning,
                .summary = text_of(split.name, ": classes without an example"),
                .advice = "nothing can be measured for them",
                .examples = missing});
  }
  if (moved.empty()) return;
  moved.resize(std::min(moved.size(), kExamples));
  report.add({.check = "class balance",
              .severity = Severity::kWarning,
              .summary = text_of(split.name, ": classes have another share than in training"),
              .advice = "split the data at random, unless the difference is what will be met",
              .examples = moved});
}

int64_t percentile(const std::vector<int64_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))];
}

// Tokens of a text, and how many of them nobody knows.
struct Tokens {
  int64_t count = 0;
  int64_t unknown = 0;
};

// Counts by the tokenizer, or words that the first split does not have.
class Counter {
 public:
  Counter(const LengthOptions& options, const Split& train) : tokenizer_(options.tokenizer) {
    if (tokenizer_ != nullptr) return;
    for (const Sample& sample : train.samples) {
      for_each_word(sample.text, [&](std::string word) { words_.insert(std::move(word)); });
    }
  }
  Tokens count(const std::string& text) {
    Tokens tokens;
    if (tokenizer_ != nullptr) {
      tokenizer_->encode_ids(text, ids_);
      const std::optional<int32_t> unknown = tokenizer_->unknown_id();
      tokens.count = std::ssize(ids_);
      if (unknown) tokens.unknown = std::count(ids_.begin(), ids_.end(), *unknown);
      return tokens;
    }
    for_each_word(text, [&](const std::string& word) {
      ++tokens.count;
      if (words_.count(word) == 0) ++tokens.unknown;
    });
    return tokens;
  }

 private:
  template <typename Use>
  static void for_each_word(const std::string& text, Use use) {
    for (const text::Span& span : text::split_words(text)) {
      use(data::lower_case_of(std::string_view(text).substr(span.begin, span.size())));
    }
  }

  const text::Tokenizer* tokenizer_;
  std::unordered_set<std::string> words_;
  std::vector<int32_t> ids_;
};

void report_lengths(const Split& split, const std::vector<int64_t>& sorted,
                    const LengthOptions& options, Report& report) {
  const int64_t max_length = options.max_length;
  const int64_t cut = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), max_length);
  report.numbers[options.name][split.name] = {{"median", percentile(sorted, 0.5)},
                                              {"95_percent", percentile(sorted, 0.95)},
                                              {"longest", sorted.empty() ? 0 : sorted.back()},
                                              {"max_length", max_length},
                                              {"cut", cut}};
  if (cut == 0) return;
  report.add({.check = options.name,
              .severity = Severity::kWarning,
              .summary = text_of(
                  split.name, ": ", share_text(cut, std::ssize(sorted), options.what),
                  " are longer than ", max_length, " tokens; the longest has ", sorted.back()),
              .advice = options.advice});
}

}  // namespace

void check_balance(const Data& data, Report& report) {
  if (data.labels.empty()) return;
  report.made("class balance");
  const std::vector<int64_t> train = counts_of(data, data.splits[0]);
  for (size_t c = 0; c < std::min(train.size(), kListed); ++c) {
    report.numbers["classes"][data.labels[c]] = train[c];
  }
  if (train.size() < 2 && !data.several_labels) {
    report.add({.check = "class balance",
                .severity = Severity::kStop,
                .summary = "every sample has the same label",
                .advice = "a classifier needs at least two classes"});
    return;
  }
  std::vector<std::string> few;
  for (size_t c = 0; c < train.size(); ++c) {
    if (train[c] < kFew && few.size() < kExamples) few.push_back(class_text(data, c, train[c]));
  }
  if (!few.empty()) {
    report.add({.check = "class balance",
                .severity = Severity::kWarning,
                .summary = text_of("classes with fewer than ", kFew, " training samples"),
                .advice = "gather more, join classes, or leave these out",
                .examples = few});
  }
  const auto [least, most] = std::minmax_element(train.begin(), train.end());
  if (few.empty() && static_cast<double>(*most) > kUneven * static_cast<double>(*least)) {
    report.add(
        {.check = "class balance",
         .severity = Severity::kWarning,
         .summary = formatted("the largest class has %.0f times the samples of the smallest",
                              static_cast<double>(*most) / static_cast<double>(*least)),
         .advice = "look at macro F1 and not at accuracy alone; --class-weight balanced helps",
         .examples = {class_text(data, static_cast<size_t>(most - train.begin()), *most),
                      class_text(data, static_cast<size_t>(least - train.begin()), *least)}});
  }
  for (size_t s = 1; s < data.splits.size(); ++s) {
    compare_with_training(data, train, data.splits[s], report);
  }
}

void check_lengths(const Data& data, const LengthOptions& options, Report& report) {
  report.made(options.name);
  if (options.unknown) report.made("unknown tokens");
  Counter counter(options, data.splits[0]);
  for (const Split& split : data.splits) {
    std::vector<int64_t> lengths;
    Tokens all;
    for (const Sample& sample : split.samples) {
      for (const std::string* text : {&sample.text, &sample.target}) {
        if (text == &sample.target && text->empty()) continue;
        const Tokens tokens = counter.count(*text);
        lengths.push_back(tokens.count);
        // The words of the first split are those that are known, and targets have others.
        if (options.tokenizer == nullptr && text == &sample.target) continue;
        all.count += tokens.count;
        all.unknown += tokens.unknown;
      }
    }
    std::sort(lengths.begin(), lengths.end());
    report_lengths(split, lengths, options, report);
    if (!options.unknown) continue;
    report.numbers["unknown"][split.name] = share(all.unknown, all.count);
    if (share(all.unknown, all.count) <= kManyUnknown) continue;
    report.add(
        {.check = "unknown tokens",
         .severity = Severity::kWarning,
         .summary =
             text_of(split.name, ": ", share_text(all.unknown, all.count, "tokens"),
                     options.tokenizer != nullptr ? " are unknown to the tokenizer"
                                                  : " are words that do not occur in training"),
         .advice = "train a tokenizer of pieces of words on such texts (heed tokenize train)"});
  }
}

}  // namespace heed::doctor
