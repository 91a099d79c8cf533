#include "heed/models/files/label_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::models {
namespace {

TEST(LabelJson, ManyLabelsComeBack) {
  std::vector<std::string> labels;
  for (int i = 0; i < 100'000; ++i) labels.push_back("label " + std::to_string(i * 7 % 100'000));
  EXPECT_NO_THROW(check_labels_fit(labels));
  const std::string text = json_text(labels_json(labels));
  EXPECT_EQ(labels_from(parse_json(text, "config.json", {.max_bytes = text.size()})), labels);
}

TEST(LabelJson, NamesThatWouldNotBeReadAgainAreRefused) {
  EXPECT_THROW(check_labels_fit({std::string(40 << 20, 'a'), "b"}), UsageError);
}

}  // namespace
}  // namespace heed::models
