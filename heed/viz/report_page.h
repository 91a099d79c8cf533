// A page of findings and figures: one HTML file with everything in it, which needs no network.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/viz/curves.h"
#include "heed/viz/heat_map.h"

namespace heed {

struct ReportTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
};

struct ReportLink {
  std::string text;
  std::string file;  // beside the page
};

// What there is of it stands below its heading in this order. All texts are any bytes.
struct ReportSection {
  std::string heading;
  std::vector<std::string> paragraphs = {};
  std::vector<std::string> items = {};   // a list
  std::optional<CurveChart> chart = {};  // its title is what is read aloud
  std::optional<HeatMap> map = {};       // likewise
  std::optional<ReportLink> link = {};
  std::optional<ReportTable> table = {};  // its first column names the rows
};

struct ReportPage {
  std::string title;
  std::vector<std::string> summary = {};  // paragraphs
  std::vector<ReportSection> sections = {};
  // Asks every few seconds for what is new at the address that it came from, and says so when
  // nobody answers.
  bool live = false;
};

// Errors: UsageError for a row that has not as many cells as there are columns, and as write_curves
// and write_heat_map for what is drawn.
std::string report_page_html(const ReportPage& page);

// Writes it, whole or not at all. Errors: those of report_page_html; IoError.
void write_report_page(const ReportPage& page, const std::filesystem::path& path);

}  // namespace heed
