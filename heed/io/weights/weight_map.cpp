#include "heed/io/weights/weight_map.h"

#include <nlohmann/json.hpp>

namespace heed {
namespace {

// A file of the directory itself, named by untrusted text.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && !name.starts_with('.') &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

}  // namespace

std::set<std::string> files_of_weight_map(const JsonValue& index, std::string_view ending) {
  const JsonValue weights = index.at("weight_map");
  if (!weights.json().is_object() || weights.json().empty()) {
    weights.fail("an object with a file name for each tensor");
  }
  std::set<std::string> files;
  for (const auto& [tensor, value] : weights.json().items()) {
    const JsonValue file = weights.at(tensor);
    if (!is_plain_file_name(file.string()) || !file.string().ends_with(ending)) {
      file.fail("the name of a " + std::string(ending) + " file in the same directory");
    }
    files.insert(file.string());
  }
  return files;
}

}  // namespace heed
