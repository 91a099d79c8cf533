#include "heed/models/files/label_json.h"

#include <set>

#include "heed/base/error.h"

namespace heed::models {

OrderedJson labels_json(const std::vector<std::string>& labels) {
  OrderedJson id2label = OrderedJson::object();
  OrderedJson label2id = OrderedJson::object();
  for (size_t i = 0; i < labels.size(); ++i) {
    id2label[std::to_string(i)] = labels[i];
    label2id[labels[i]] = i;
  }
  return {{"id2label", id2label}, {"label2id", label2id}};
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
