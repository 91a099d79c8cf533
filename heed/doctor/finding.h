// What an examination found: a list of findings, each with what to do about it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/io/json.h"

namespace heed::doctor {

enum class Severity : uint8_t {
  kNote,     // good to know
  kWarning,  // look at it; going on makes sense
  kStop,     // what comes out would mislead
};

std::string_view name_of(Severity severity);  // "note", "warning", "stop"

struct Finding {
  std::string check;  // which check it is: "near duplicates"
  Severity severity = Severity::kNote;
  std::string summary;  // what was found, one sentence with its numbers
  std::string advice = {};
  std::vector<std::string> examples = {};  // the first few places, a line each
};

inline constexpr size_t kExamples = 5;  // of a finding

struct NotChecked {
  std::string check;
  std::string why;
};

struct Report {
  std::vector<Finding> findings;                // in the order of the checks
  std::vector<std::string> checked;             // the names of all checks that were made
  std::vector<NotChecked> not_checked;          // and of those that make no sense here
  OrderedJson numbers = OrderedJson::object();  // what was measured, whether it is a finding or not
  std::vector<std::string> notes = {};          // what the readers took for granted, a line each

  // A check was made; several kinds of one data may make it.
  void made(const std::string& check);
  void add(Finding finding) { findings.push_back(std::move(finding)); }
  bool go_on() const;

  // For people: what stops first, then warnings, then notes; then the checks that found nothing,
  // and those that were not made.
  std::string text() const;
  // {"go_on", "findings": [{"check", "severity", "summary", "advice", "examples"}], "checked",
  // "not_checked": {check: why}, …}
  OrderedJson json() const;
};

// "12 of 400 texts (3.0 %)".
std::string share_text(int64_t part, int64_t whole, const char* what);

}  // namespace heed::doctor
