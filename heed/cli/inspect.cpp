#include <iomanip>
#include <iostream>
#include <memory>

#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/io/safetensors.h"
#include "heed/models/text_classifier_files.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  bool json = false;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " × ") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

nlohmann::ordered_json describe(const Settings& settings,
                                const models::TrainedTextClassifier& trained) {
  const models::TextClassifierOptions& o = trained.model->options();
  const Safetensors weights = Safetensors::from_directory(settings.directory);
  nlohmann::ordered_json json = {
      {"task", trained.task},       {"labels", trained.labels}, {"vocabulary", o.vocabulary},
      {"width", o.width},           {"heads", o.heads},         {"layers", o.layers},
      {"hidden", o.hidden},         {"longest", o.longest},     {"norm", o.norm},
      {"activation", o.activation},
  };
  int64_t parameters = 0;
  size_t bytes = 0;
  for (const StoredTensor& tensor : weights.tensors()) {
    int64_t count = 1;
    for (const int64_t size : tensor.shape) count *= size;
    parameters += count;
    bytes += tensor.bytes;
    json["tensors"].push_back(
        {{"name", tensor.name}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  json["parameters"] = parameters;
  json["bytes"] = bytes;
  return json;
}

void print_for_people(const nlohmann::ordered_json& json) {
  for (const auto& [key, value] : json.items()) {
    if (key == "tensors" || key == "labels") continue;
    std::cout << std::left << std::setw(12) << key << ' '
              << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  }
  std::cout << std::setw(12) << "labels" << ' ';
  const char* comma = "";
  for (const auto& label : json["labels"]) {
    std::cout << comma << label.get<std::string>();
    comma = ", ";
  }
  std::cout << "\n\n";
  for (const auto& tensor : json["tensors"]) {
    std::cout << std::setw(56) << tensor["name"].get<std::string>() << ' ' << std::setw(5)
              << tensor["dtype"].get<std::string>() << ' '
              << shape_text(tensor["shape"].get<std::vector<int64_t>>()) << '\n';
  }
}

}  // namespace

Command inspect_command() {
  return {
      .path = "inspect",
      .summary = "Show what a trained model is made of",
      .examples = "  heed inspect model\n  heed inspect model --json\n",
      .define =
          [](CLI::App& app) {
            auto settings = std::make_shared<Settings>();
            app.add_option("model", settings->directory, "Directory of a trained model")
                ->required();
            app.add_flag("--json", settings->json, "Print one JSON object");
            return [settings] {
              const auto trained = models::load_text_classifier(settings->directory);
              const auto json = describe(*settings, trained);
              if (settings->json) {
                std::cout << json.dump() << '\n';
              } else {
                print_for_people(json);
              }
            };
          },
  };
}

}  // namespace heed::cli
