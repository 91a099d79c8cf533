// Labels that a model which has not seen them finds wrong.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/checks.h"
#include "heed/doctor/linear_model.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr size_t kFolds = 10;
constexpr size_t kFewestTexts = 50;
constexpr size_t kMostClasses = 100;  // times the buckets: memory
constexpr float kSure = 0.9F;         // of another label, to be told

// Which fold a sample is in: those of a class spread evenly.
std::vector<size_t> folds_of(const std::vector<Sample>& samples, size_t classes) {
  std::vector<size_t> next(classes, 0), folds;
  for (const Sample& sample : samples) {
    folds.push_back(next[static_cast<size_t>(sample.labels.front())]++ % kFolds);
  }
  return folds;
}

// The probabilities of each sample by a model of the other folds, (samples, classes).
std::vector<std::vector<float>> judged(const HashedTexts& texts,
                                       const std::vector<LabelledSample>& samples,
                                       const std::vector<size_t>& folds, int32_t classes) {
  std::vector<std::vector<float>> probabilities(samples.size());
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<LabelledSample> others;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (folds[i] != fold) others.push_back(samples[i]);
    }
    LinearModel model(classes);
    model.train(texts, others);
    for (size_t i = 0; i < samples.size(); ++i) {
      if (folds[i] == fold) probabilities[i] = model.probabilities(texts, i);
    }
  }
  return probabilities;
}

}  // namespace

std::vector<SuspectLabel> suspect_labels(const Data& data) {
  const std::vector<Sample>& samples = data.splits[0].samples;
  if (samples.size() < kFewestTexts || data.several_labels || data.labels.size() < 2 ||
      data.labels.size() > kMostClasses) {
    return {};
  }
  HashedTexts texts;
  std::vector<LabelledSample> labelled;
  for (size_t i = 0; i < samples.size(); ++i) {
    texts.add(samples[i].text);
    labelled.push_back({.text = i, .label = samples[i].labels.front()});
  }
  const std::vector<size_t> folds = folds_of(samples, data.labels.size());
  const auto classes = static_cast<int32_t>(data.labels.size());
  const auto probabilities = judged(texts, labelled, folds, classes);

  std::vector<SuspectLabel> suspects;
  for (size_t i = 0; i < samples.size(); ++i) {
    const std::vector<float>& all = probabilities[i];
    const auto likelier = std::max_element(all.begin(), all.end()) - all.begin();
    if (likelier == samples[i].labels.front()) continue;
    suspects.push_back({.sample = i,
                        .likelier = static_cast<int32_t>(likelier),
                        .given_probability = all[static_cast<size_t>(samples[i].labels.front())],
                        .likelier_probability = all[static_cast<size_t>(likelier)]});
  }
  std::stable_sort(suspects.begin(), suspects.end(), [](const auto& a, const auto& b) {
    return a.likelier_probability - a.given_probability >
           b.likelier_probability - b.given_probability;
  });
  return suspects;
}

void check_labels(const Data& data, Report& report) {
  if (data.labels.empty() || data.several_labels) return;
  report.made("surely wrong labels");
  const std::vector<SuspectLabel> suspects = suspect_labels(data);
  OrderedJson all = OrderedJson::array();
  std::vector<std::string> examples;
  int64_t sure = 0;
  for (const SuspectLabel& suspect : suspects) {
    const Sample& sample = data.splits[0].samples[suspect.sample];
    const std::string& given = data.labels[static_cast<size_t>(sample.labels.front())];
    const std::string& likelier = data.labels[static_cast<size_t>(suspect.likelier)];
    all.push_back({{"where", data.splits[0].where(sample)},
                   {"label", given},
                   {"likelier", likelier},
                   {"probability", suspect.likelier_probability},
                   {"text", sample.text}});
    if (suspect.likelier_probability < static_cast<double>(kSure)) continue;
    ++sure;
    if (examples.size() < kExamples) {
      examples.push_back(text_of(
          data.splits[0].where(sample), ": ", excerpt(given), ", more likely ", excerpt(likelier),
          formatted(" (%.0f %%): ", 100 * suspect.likelier_probability), beginning(sample.text)));
    }
  }
  report.numbers["suspect_labels"] = std::move(all);
  if (sure == 0) return;
  report.add(
      {.check = "surely wrong labels",
       .severity = Severity::kWarning,
       .summary = share_text(sure, std::ssize(data.splits[0].samples), "labels") +
                  " look wrong to a quick model that did not see them",
       .advice = "read them, the surest first (--json lists all); some are wrong, others hard",
       .examples = examples});
}

}  // namespace heed::doctor
