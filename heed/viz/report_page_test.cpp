#include "heed/viz/report_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string written(const ReportPage& page) {
  const test::Folder folder;
  write_report_page(page, folder / "report.html");
  return test::slurp(folder / "report.html");
}

ReportPage page() {
  return {
      .title = "Training of <model>",
      .summary = {"It ended."},
      .sections = {
          {.heading = "Curves",
           .paragraphs = {"a & b"},
           .items = {"one", "two"},
           .chart =
               CurveChart{.title = "loss \"by\" step",
                          .panels = {{.y_axis = "loss",
                                      .curves = {{.name = "train", .x = {1, 2}, .y = {2, 1}}}}}},
           .table = ReportTable{.columns = {"step", "loss"}, .rows = {{"1", "<2>"}}}}}};
}

TEST(ReportPage, HoldsItsSectionsAndWhatIsMarkupStaysText) {
  const std::string html = written(page());
  EXPECT_THAT(html, HasSubstr("<h1>Training of &lt;model&gt;</h1>"));
  EXPECT_THAT(html, HasSubstr("<p>a &amp; b</p>"));
  EXPECT_THAT(html, HasSubstr("<ul><li>one</li>\n<li>two</li>\n</ul>"));
  EXPECT_THAT(html, HasSubstr("alt=\"loss &quot;by&quot; step\" src=\"data:image/svg+xml;base64,"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">1</th>\n<td>&lt;2&gt;</td>"));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
}

TEST(ReportPage, TextsMayBeAnyBytes) {
  ReportPage any = page();
  any.sections[0].paragraphs[0] = "\xff\xfe";
  EXPECT_THAT(written(any), HasSubstr("<p>\xef\xbf\xbd\xef\xbf\xbd</p>"));
}

TEST(ReportPage, RefusesARowOfAnotherLength) {
  ReportPage broken = page();
  broken.sections[0].table->rows.push_back({"1"});
  const test::Folder folder;
  EXPECT_THROW(write_report_page(broken, folder / "report.html"), UsageError);
  EXPECT_FALSE(std::filesystem::exists(folder / "report.html"));
}

}  // namespace
}  // namespace heed
