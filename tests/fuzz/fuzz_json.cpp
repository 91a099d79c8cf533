// JSON: what is read is written and read again.
#include "heed/io/json.h"

#include <nlohmann/json.hpp>
#include "tests/fuzz/fuzz.h"

void heed::fuzz::one(std::string_view input) {
  const JsonValue value = parse_json(input, "fuzz", {.max_bytes = 1 << 20});
  const JsonValue again = parse_json(json_text(value.json()), "again", {.max_bytes = 1 << 24});
  expect(again.json() == value.json());
}
