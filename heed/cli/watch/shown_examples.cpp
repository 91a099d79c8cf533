#include "heed/cli/watch/shown_examples.h"

#include <ATen/ATen.h>

#include <exception>
#include <numeric>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/attention_page.h"
#include "heed/cli/task_kind.h"
#include "heed/training/random_state.h"

namespace heed::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestModel = uint64_t{2} << 30;  // bytes, to be in memory a second time
constexpr int64_t kMostTokens = 96;                    // of a side that can be read in a picture

// Puts torch's random numbers back as they were.
class SameRandomNumbers {
 public:
  SameRandomNumbers() : state_(training::RandomState::take(at::kCPU)) {}
  ~SameRandomNumbers() { state_.put_back(at::kCPU); }
  SameRandomNumbers(const SameRandomNumbers&) = delete;
  SameRandomNumbers& operator=(const SameRandomNumbers&) = delete;

 private:
  training::RandomState state_;
};

uint64_t bytes_in(const fs::path& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

// A model with the options that `heed attend` would be given.
class Model {
 public:
  Model(const fs::path& directory, const Options& command, const AttendOptions& of_all,
        const AttendOptions& of_one)
      : options_("heed attend", "") {
    task_.choose(directory.string());
    task_.add_options(options_, Use::kAttend);
    for (const OptionInfo& option : command.all()) {
      const std::string name = option.setting_name();
      if (option.given && !option.positional && options_.has(name)) {
        options_.give(name, option.values);
      }
    }
    for (const auto& [name, value] : of_one) options_.give(name, {value});
    for (const auto& [name, value] : of_all) options_.give(name, {value});
    model_ = task_.load();
  }

  AttentionView attend(const std::string& input) const {
    const std::vector<std::string>& parts = task_.kind().attention_parts;
    return model_->attend(
        input, {.part = parts.empty() ? "" : parts.front(), .gradients = true, .continued = true});
  }

 private:
  AnyTask task_;
  Options options_;
  std::unique_ptr<TaskAdapter> model_;
};

std::vector<int64_t> up_to(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

// The mean over the heads of the last layer.
std::optional<HeatMap> map_of(const AttentionView& view) {
  if (std::ssize(view.queries) > kMostTokens || std::ssize(view.keys) > kMostTokens) return {};
  const int64_t layer = view.layer_count() - 1;
  const at::Tensor mean = view.mean(layer).contiguous();
  const auto* values = mean.const_data_ptr<float>();
  return HeatMap{.title = text_of("where it looked: layer ", layer + 1, ", mean of its heads"),
                 .row_labels = view.queries,
                 .column_labels = view.keys,
                 .rows = mean.size(0),
                 .columns = mean.size(1),
                 .values = {values, values + mean.numel()}};
}

ShownExample shown(const Model& model, const std::string& input, const AboutInput& about,
                   size_t number) {
  ShownExample example{.section = {.heading = text_of("Example ", number),
                                   .paragraphs = {about.name.empty() ? input : about.name}}};
  if (!about.right.empty()) {
    example.section.paragraphs.push_back("What is right: " + about.right);
  }
  try {
    const AttentionView view = model.attend(input);
    const at::NoGradGuard no_grad;
    ReportSection& section = example.section;
    section.paragraphs.push_back("→ " + view.title);
    if (!view.continuation.empty())
      section.paragraphs.push_back("It goes on: " + view.continuation);
    section.map = map_of(view);
    example.page = attention_page_html(
        attention_page(view, up_to(view.layer_count()), up_to(view.head_count())));
    section.link = {.text = text_of("All layers and heads of example ", number),
                    .file = text_of("attention-", number, ".html")};
  } catch (const std::exception& error) {
    example.section.paragraphs.push_back(text_of("It cannot be shown: ", error.what()));
  }
  return example;
}

ShownExample instead(const std::string& why) {
  return {.section = {.heading = "Examples", .paragraphs = {"None is shown: " + why}}};
}

}  // namespace

std::vector<ShownExample> shown_examples(const fs::path& directory, const Options& command,
                                         const HeldOut& held_out) {
  if (held_out.inputs.empty()) return {instead("there are none that can be shown here.")};
  const SameRandomNumbers same;
  try {
    if (bytes_in(directory) > kLargestModel) {
      return {instead("the model is too large to be in memory a second time.")};
    }
    std::vector<ShownExample> examples;
    std::optional<Model> model;  // is loaded anew for options of one example
    for (size_t i = 0; i < held_out.inputs.size(); ++i) {
      const AboutInput about = i < held_out.about.size() ? held_out.about[i] : AboutInput();
      if (!model || !about.options.empty()) {
        model.emplace(directory, command, held_out.options, about.options);
      }
      examples.push_back(shown(*model, held_out.inputs[i], about, i + 1));
    }
    return examples;
  } catch (const std::exception& error) {
    return {instead(error.what())};
  }
}

}  // namespace heed::cli
