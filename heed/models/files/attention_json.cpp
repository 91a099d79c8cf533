#include "heed/models/files/attention_json.h"

namespace heed::models {

OrderedJson attention_json(const nn::AttentionSettings& settings) {
  return {
      {"attention_score", settings.score},
      {"attention_pattern", settings.pattern},
      {"position_embedding_type", settings.positions},
      {"attention_softcap", settings.softcap},
      {"num_key_value_heads", settings.key_heads},
      {"rope_theta", settings.rotary_base},
      {"relative_reach", settings.relative_reach},
  };
}

nn::AttentionSettings attention_from(const JsonValue& config) {
  constexpr int64_t kLarge = 1 << 24;
  nn::AttentionSettings settings;
  const auto text = [&](const char* name, std::string& field) {
    if (config.has(name)) field = config.at(name).string();
  };
  const auto whole = [&](const char* name, int64_t& field) {
    if (config.has(name)) field = config.at(name).integer({.least = 0, .most = kLarge});
  };
  const auto number = [&](const char* name, double& field) {
    if (config.has(name)) field = config.at(name).number({.least = 0});
  };
  text("attention_score", settings.score);
  text("attention_pattern", settings.pattern);
  text("position_embedding_type", settings.positions);
  number("attention_softcap", settings.softcap);
  whole("num_key_value_heads", settings.key_heads);
  number("rope_theta", settings.rotary_base);
  whole("relative_reach", settings.relative_reach);
  return settings;
}

}  // namespace heed::models
