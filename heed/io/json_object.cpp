#include "heed/io/json_object.h"

#include <nlohmann/json.hpp>

namespace heed {

OrderedJson object_of(std::vector<std::pair<std::string, OrderedJson>> members) {
  OrderedJson::object_t object;
  object.reserve(members.size());
  for (auto& [name, value] : members) object.emplace_back(std::move(name), std::move(value));
  return object;
}

}  // namespace heed
