#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/task_kind.h"
#include "heed/io/printable.h"
#include "heed/models/files/published_files.h"
#include "heed/models/published/weights.h"

namespace heed::cli {
namespace {

struct InspectSettings {
  AnyTask task;
  bool json = false;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  if (shape.empty()) return "scalar";
  return joined(shape, " × ", [](int64_t size) { return std::to_string(size); });
}

OrderedJson describe(const AnyTask& task) {
  OrderedJson json = {{"task", task.kind().name}};
  json.update(task.load()->description());
  int64_t parameters = 0;
  size_t bytes = 0;
  for (const auto& tensor : models::published::weights_in(task.directory())) {
    int64_t count = 1;
    for (const int64_t size : tensor.shape) count *= size;
    parameters += count;
    bytes += tensor.bytes;
    json["tensors"].push_back(
        {{"name", tensor.name}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  if (models::is_published(task.directory())) {
    const auto model = heed::load(task.directory());
    if (!model->left_out().empty()) json["left_out"] = model->left_out();
  }
  json["parameters"] = parameters;
  json["bytes"] = bytes;
  return json;
}

// A list of names as people write it.
std::string plain(const OrderedJson& value) {
  if (value.is_string()) return printable(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  return joined(value, ", ", plain);
}

void print_for_people(const OrderedJson& json) {
  for (const auto& [key, value] : json.items()) {
    if (key == "tensors") continue;
    std::cout << std::left << std::setw(17) << printable(key) << ' ' << plain(value) << '\n';
  }
  std::cout << '\n';
  for (const auto& tensor : json["tensors"]) {
    std::cout << std::setw(56) << printable(tensor["name"].get<std::string>()) << ' '
              << std::setw(5) << tensor["dtype"].get<std::string>() << ' '
              << shape_text(tensor["shape"].get<std::vector<int64_t>>()) << '\n';
  }
}

void run_inspect(const InspectSettings& settings) {
  const OrderedJson json = describe(settings.task);
  if (settings.json) {
    std::cout << json.dump() << '\n';
  } else {
    print_for_people(json);
  }
}

void define_inspect(Options& options, InspectSettings& s) {
  s.task.add_model(options);
  s.task.add_options(options, Use::kInspect);
  options.flag("--json", s.json, "Print one JSON object");
}

}  // namespace

Command inspect_command() {
  return {
      .path = "inspect",
      .summary = "Show what a trained model is made of",
      .examples = "  heed inspect model\n  heed inspect model --json\n",
      .define = with_settings(define_inspect, run_inspect),
  };
}

}  // namespace heed::cli
