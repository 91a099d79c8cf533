// What tools/sound_oracles.py has written.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace heed::audio::test {

// The cases of a part, "log_mel".
inline nlohmann::json oracles(const std::string& part) {
  std::ifstream file("heed/audio/testdata/oracles.json");
  return nlohmann::json::parse(file).at(part);
}

}  // namespace heed::audio::test
