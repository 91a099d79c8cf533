#include "heed/models/files/label_json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "heed/base/error.h"
#include "heed/io/json_object.h"
#include "heed/models/files/config_limit.h"

namespace heed::models {

OrderedJson labels_json(const std::vector<std::string>& labels) {
  std::vector<std::pair<std::string, OrderedJson>> id2label;
  std::vector<std::pair<std::string, OrderedJson>> label2id;
  for (size_t i = 0; i < labels.size(); ++i) {
    id2label.emplace_back(std::to_string(i), labels[i]);
    label2id.emplace_back(labels[i], i);
  }
  return {{"id2label", object_of(std::move(id2label))},
          {"label2id", object_of(std::move(label2id))}};
}

void check_labels_fit(const std::vector<std::string>& labels) {
  constexpr size_t kMost = kLargestConfig / 2;
  const size_t bytes = json_text(labels_json(labels)).size();
  check_usage(bytes <= kMost, labels.size(), " classes: their names take ", bytes,
              " bytes of config.json, at most ", kMost, " expected");
}

std::vector<std::string> labels_from(const JsonValue& config, size_t least) {
  const JsonValue names = config.at("id2label");
  std::vector<std::string> labels;
  if (!names.json().is_object() || names.json().size() < least) {
    names.fail(least == 1 ? "a label or more" : text_of(least, " labels or more"));
  }
  for (size_t i = 0; i < names.json().size(); ++i) {
    labels.push_back(names.at(std::to_string(i)).string());
  }
  if (std::set<std::string>(labels.begin(), labels.end()).size() != labels.size()) {
    names.fail("labels that differ from each other");
  }
  return labels;
}

}  // namespace heed::models
