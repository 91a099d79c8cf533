#include "heed/cli/reading/examples.h"

#include <algorithm>

#include "heed/cli/common.h"
#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

constexpr size_t kExamined = 32;
constexpr size_t kLongest = 4000;  // bytes

}  // namespace

std::vector<std::string> some_of(std::vector<std::string> inputs) {
  std::erase_if(inputs, [](const std::string& input) {
    return input.size() > kLongest || trimmed(input).empty();
  });
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::vector<std::string> some;
  const size_t count = std::min(inputs.size(), kExamined);
  for (size_t i = 0; i < count; ++i) {
    some.push_back(inputs[count > 1 ? i * (inputs.size() - 1) / (count - 1) : 0]);
  }
  return some;
}

std::vector<std::string> some_texts(const std::vector<std::string>& files, doctor::DataTask task,
                                    const data::ReadOptions& options) {
  doctor::Data data = doctor::read_samples({{"data", paths_of(files)}}, task, options);
  std::vector<std::string> texts;
  for (doctor::Sample& sample : data.splits[0].samples) {
    std::string& text = texts.emplace_back(std::move(sample.text));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  }
  return some_of(std::move(texts));
}

}  // namespace heed::cli
