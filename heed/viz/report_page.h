// A page of findings and figures: one HTML file with everything in it, which needs no network.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/viz/curves.h"

namespace heed {

struct ReportTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
};

// What there is of it stands below its heading in this order. All texts are any bytes.
struct ReportSection {
  std::string heading;
  std::vector<std::string> paragraphs = {};
  std::vector<std::string> items = {};    // a list
  std::optional<CurveChart> chart = {};   // its title is what is read aloud
  std::optional<ReportTable> table = {};  // its first column names the rows
};

struct ReportPage {
  std::string title;
  std::vector<std::string> summary = {};  // paragraphs
  std::vector<ReportSection> sections = {};
};

// Writes the page, whole or not at all. Errors: UsageError for a row that has not as many cells as
// there are columns, and as write_curves for a chart; IoError.
void write_report_page(const ReportPage& page, const std::filesystem::path& path);

}  // namespace heed
