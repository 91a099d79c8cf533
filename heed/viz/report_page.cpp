#include "heed/viz/report_page.h"

#include <string_view>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/viz/page/markup.h"
#include "heed/viz/page/page_files.h"

namespace heed {
namespace {

std::string element(std::string_view name, const std::string& content,
                    std::string_view attributes = "") {
  return text_of('<', name, attributes, '>', content, "</", name, ">\n");
}

std::string paragraphs_of(const std::vector<std::string>& texts) {
  std::string html;
  for (const std::string& text : texts) html += element("p", escaped_markup(text));
  return html;
}

std::string list_of(const std::vector<std::string>& items) {
  std::string html;
  for (const std::string& item : items) html += element("li", escaped_markup(item));
  return html.empty() ? html : element("ul", html);
}

// In a file of its own kind, so that two of them share no names.
std::string picture_of(const std::string& title, const std::string& svg) {
  return text_of("<img alt=\"", escaped_markup(title), "\" src=\"data:image/svg+xml;base64,",
                 base64_of(svg), "\">\n");
}

std::string link_of(const ReportLink& link) {
  return element("p", element("a", escaped_markup(link.text),
                              text_of(" href=\"", escaped_markup(link.file), '"')));
}

std::string table_of(const ReportTable& table, const std::string& name) {
  std::string head;
  for (const std::string& column : table.columns) {
    head += element("th", escaped_markup(column), " scope=\"col\"");
  }
  std::string body;
  for (const std::vector<std::string>& row : table.rows) {
    check_usage(row.size() == table.columns.size(), "report ", name, ": expected rows of ",
                table.columns.size(), " cells, got ", row.size());
    std::string cells;
    for (size_t i = 0; i < row.size(); ++i) {
      cells += i == 0 ? element("th", escaped_markup(row[i]), " scope=\"row\"")
                      : element("td", escaped_markup(row[i]));
    }
    body += element("tr", cells);
  }
  // Wide tables scroll by themselves, by keyboard too.
  const std::string attributes = text_of(
      " class=\"wide\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"",
      escaped_markup(name), '"');
  return element("div",
                 element("table", element("thead", element("tr", head)) + element("tbody", body)),
                 attributes);
}

std::string section_of(const ReportSection& section) {
  std::string html = element("h2", escaped_markup(section.heading));
  html += paragraphs_of(section.paragraphs) + list_of(section.items);
  if (section.chart) html += picture_of(section.chart->title, curves_svg(*section.chart));
  if (section.map) html += picture_of(section.map->title, heat_map_svg(*section.map));
  if (section.link) html += link_of(*section.link);
  if (section.table) html += table_of(*section.table, section.heading);
  return element("section", html);
}

}  // namespace

std::string report_page_html(const ReportPage& page) {
  const std::string title = escaped_markup(page.title);
  std::string content = element("h1", title) + paragraphs_of(page.summary);
  for (const ReportSection& section : page.sections) content += section_of(section);
  std::string body = element("main", content);
  if (page.live) {
    body = element("header", element("p", "", " id=\"live\" role=\"status\"")) + body +
           element("script", std::string(page_files::live_script()));
  }
  return text_of("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
                 "<link rel=\"icon\" href=\"data:,\">\n", element("title", title), "<style>",
                 page_files::report_style(), "</style>\n</head>\n<body>\n", body,
                 "</body>\n</html>\n");
}

void write_report_page(const ReportPage& page, const std::filesystem::path& path) {
  const std::string html = report_page_html(page);
  AtomicFile file(path);
  file.write(html);
  file.commit();
}

}  // namespace heed
