#include "heed/cli/doctor/report_pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"

namespace heed::cli {
namespace {

using doctor::Finding;
using doctor::Severity;

void add_findings(const doctor::Report& report, ReportPage& page) {
  for (const Severity severity : {Severity::kStop, Severity::kWarning, Severity::kNote}) {
    for (const Finding& finding : report.findings) {
      if (finding.severity != severity) continue;
      ReportSection section{.heading = text_of(name_of(severity), ": ", finding.check),
                            .paragraphs = {finding.summary},
                            .items = finding.examples};
      if (!finding.advice.empty()) section.paragraphs.push_back("→ " + finding.advice);
      page.sections.push_back(std::move(section));
    }
  }
}

std::string cell(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return formatted("%.4g", value.get<double>());
  return value.dump();
}

// {"train": {"median": 3, …}, …}: a row each.
ReportTable table_of_objects(const OrderedJson& objects, const std::string& name) {
  ReportTable table{.columns = {name}};
  for (const auto& [key, value] : objects.front().items()) table.columns.push_back(key);
  for (const auto& [key, value] : objects.items()) {
    std::vector<std::string> row;
    if (objects.is_object()) {
      row.push_back(key);
    } else {
      row.push_back(std::to_string(table.rows.size() + 1));
    }
    for (const auto& [column, each] : value.items()) row.push_back(cell(each));
    row.resize(table.columns.size());
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable table_of_values(const OrderedJson& object, const std::string& name) {
  ReportTable table{.columns = {name, "value"}};
  for (const auto& [key, value] : object.items()) table.rows.push_back({key, cell(value)});
  return table;
}

CurveChart reliability(const OrderedJson& diagram) {
  Curve found{.name = "how often it is right"}, wanted{.name = "how sure it is"};
  for (const OrderedJson& bin : diagram) {
    const auto confidence = bin.at("confidence").get<double>();
    found.x.push_back(confidence);
    found.y.push_back(bin.at("accuracy").get<double>());
    wanted.x.push_back(confidence);
    wanted.y.push_back(confidence);
  }
  return {.title = "Reliability: both lines are the same where it is as right as it is sure",
          .x_axis = "confidence",
          .panels = {{.y_axis = "accuracy", .curves = {found, wanted}}}};
}

// What was measured, as far as it is numbers and not long lists.
void add_numbers(const OrderedJson& numbers, ReportPage& page) {
  for (const auto& [name, value] : numbers.items()) {
    if (name == "suspect_labels" || value.empty() || !value.is_structured()) continue;
    std::string heading = name;
    std::replace(heading.begin(), heading.end(), '_', ' ');
    ReportSection section{.heading = heading};
    OrderedJson plain = OrderedJson::object();
    if (value.front().is_object()) {
      section.table = table_of_objects(value, name);
    } else {
      for (const auto& [key, each] : value.items()) {
        if (!each.is_structured()) plain[key] = each;
      }
      section.table = table_of_values(plain, name);
    }
    if (value.is_object() && value.contains("reliability")) {
      section.chart = reliability(value["reliability"]);
    }
    page.sections.push_back(std::move(section));
  }
}

}  // namespace

ReportPage page_of(const doctor::Report& report, const std::string& title) {
  ReportPage page{.title = title};
  page.summary.push_back(report.go_on() ? "Nothing here speaks against going on."
                                        : "Something here must be mended before going on.");
  add_findings(report, page);
  std::vector<std::string> fine;
  for (const std::string& check : report.checked) {
    const auto is_found = [&](const Finding& each) { return each.check == check; };
    if (std::none_of(report.findings.begin(), report.findings.end(), is_found)) {
      fine.push_back(check);
    }
  }
  if (!fine.empty()) {
    page.sections.push_back({.heading = "Nothing found", .paragraphs = {joined(fine) + "."}});
  }
  if (!report.not_checked.empty()) {
    ReportSection section{.heading = "Not checked"};
    for (const doctor::NotChecked& each : report.not_checked) {
      section.items.push_back(each.check + ": " + each.why);
    }
    page.sections.push_back(std::move(section));
  }
  add_numbers(report.numbers, page);
  return page;
}

}  // namespace heed::cli
