#include "heed/training/processes/agreement.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/json.h"

namespace heed::training {
namespace {

constexpr int64_t kLongestDifference = 1000;  // bytes

std::string text_of_settings(const Settings& settings) {
  Json list = Json::array();
  for (const auto& [name, value] : settings) list.push_back(Json::array({name, value}));
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Settings settings_of(const std::string& text) {
  Settings settings;
  for (const Json& pair : Json::parse(text)) {
    settings.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
  }
  return settings;
}

// Texts of all processes, cut to a length that all know, in rank 0.
std::vector<std::string> gathered(ProcessGroup& group, const std::string& text) {
  at::Tensor bytes = at::zeros({kLongestDifference}, at::kByte);
  const size_t size = std::min(text.size(), static_cast<size_t>(kLongestDifference) - 1);
  std::memcpy(bytes.mutable_data_ptr(), text.data(), size);
  std::vector<std::string> all;
  for (const at::Tensor& each : group.gather(bytes)) {
    all.emplace_back(static_cast<const char*>(each.const_data_ptr()));
  }
  return all;
}

// Errors travel as a letter and their message.
constexpr char kUsage = 'U';
constexpr char kData = 'D';
constexpr char kMissing = 'M';
constexpr char kIo = 'I';

char letter_of(const Error& error) {
  if (dynamic_cast<const UsageError*>(&error) != nullptr) return kUsage;
  if (dynamic_cast<const DataError*>(&error) != nullptr) return kData;
  if (dynamic_cast<const MissingInputError*>(&error) != nullptr) return kMissing;
  return kIo;
}

[[noreturn]] void throw_as(char letter, const std::string& message) {
  switch (letter) {
    case kUsage:
      throw UsageError(message);
    case kData:
      throw DataError(message);
    case kMissing:
      throw MissingInputError(message);
    default:
      throw IoError(message);
  }
}

}  // namespace

void check_agreement(ProcessGroup& group, const Settings& settings) {
  const Settings first = settings_of(group.broadcast(text_of_settings(settings)));
  const Settings here = settings_of(text_of_settings(settings));
  std::string difference_here;
  if (const auto differs = difference(first, here)) {
    difference_here = text_of(differs->name, " is ", differs->before, " in rank 0 and ",
                              differs->now, " in rank ", group.rank());
  }
  std::vector<std::string> differences = gathered(group, difference_here);
  std::erase(differences, "");
  const std::string all = group.broadcast(joined(differences, "; "));
  check_usage(all.empty(), "several processes: ", all,
              "; start all of them with the same options and the same data");
}

std::string told_by_first(ProcessGroup* group, const std::string& text) {
  return group != nullptr ? group->broadcast(text) : text;
}

void done_by_first(ProcessGroup* group, const std::function<void()>& work) {
  if (group == nullptr) return work();
  if (group->is_first()) {
    try {
      work();
    } catch (const Error& error) {
      group->broadcast(text_of(letter_of(error), error.what()));
      throw;
    }
    group->broadcast("");
    return;
  }
  const std::string failure = group->broadcast("");
  if (!failure.empty()) throw_as(failure[0], "rank 0: " + failure.substr(1));
}

}  // namespace heed::training
