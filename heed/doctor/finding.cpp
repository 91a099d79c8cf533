#include "heed/doctor/finding.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/io/printable.h"

namespace heed::doctor {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kStop:
      return "stop";
  }
  return "";
}

void Report::made(const std::string& check) {
  if (std::find(checked.begin(), checked.end(), check) == checked.end()) checked.push_back(check);
}

bool Report::go_on() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& each) { return each.severity == Severity::kStop; });
}

std::string Report::text() const {
  std::string text;
  std::set<std::string> found;
  for (const Severity severity : {Severity::kStop, Severity::kWarning, Severity::kNote}) {
    for (const Finding& each : findings) {
      if (each.severity != severity) continue;
      found.insert(each.check);
      text += text_of(name_of(severity), ": ", each.check, ": ", printable(each.summary), '\n');
      for (const std::string& example : each.examples) text += "  " + printable(example) + '\n';
      if (!each.advice.empty()) text += "  → " + printable(each.advice) + '\n';
    }
  }
  std::vector<std::string> fine;
  for (const std::string& check : checked) {
    if (found.count(check) == 0) fine.push_back(check);
  }
  if (!fine.empty()) text += "nothing found: " + joined(fine) + '\n';
  for (const NotChecked& each : not_checked) {
    text += text_of("not checked: ", each.check, ": ", each.why, '\n');
  }
  return text;
}

OrderedJson Report::json() const {
  OrderedJson json = {{"go_on", go_on()}, {"findings", OrderedJson::array()}};
  for (const Finding& each : findings) {
    json["findings"].push_back({{"check", each.check},
                                {"severity", name_of(each.severity)},
                                {"summary", each.summary},
                                {"advice", each.advice},
                                {"examples", each.examples}});
  }
  json["checked"] = checked;
  json["not_checked"] = OrderedJson::object();
  for (const NotChecked& each : not_checked) json["not_checked"][each.check] = each.why;
  json.update(numbers);
  return json;
}

std::string share_text(int64_t part, int64_t whole, const char* what) {
  const double share = whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
  return text_of(part, " of ", whole, ' ', what) + formatted(" (%.1f %%)", share);
}

}  // namespace heed::doctor
