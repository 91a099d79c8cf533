#include "heed/viz/heat_map.h"

#include <gmock/gmock.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/viz/drawing/fonts.h"
#include "heed/viz/heat_map_layout.h"
#include "heed/viz/testing/test_picture.h"

namespace heed {
namespace {

using testing::HasSubstr;

HeatMap map_of(int64_t rows, int64_t columns) {
  HeatMap map{.title = "Attention", .rows = rows, .columns = columns};
  for (int64_t i = 0; i < rows; ++i) map.row_labels.push_back("query" + std::to_string(i));
  for (int64_t i = 0; i < columns; ++i) map.column_labels.push_back("key" + std::to_string(i));
  for (int64_t i = 0; i < rows * columns; ++i) {
    map.values.push_back(static_cast<float>(i % 7) / 6.0F);
  }
  return map;
}

// The message of the UsageError that drawing throws.
std::string refusal_of(const HeatMap& map, const std::string& path) {
  try {
    write_heat_map(map, path);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

class HeatMapTest : public PictureTest {};

TEST_F(HeatMapTest, EachCellHasTheColorOfItsValue) {
  // Row 0: 0, a half, 1; row 1: not a number, infinite, a quarter.
  const HeatMap map{.title = "Attention of head 1",
                    .row_labels = {"good", "film"},
                    .column_labels = {"the", "longest", "word"},
                    .rows = 2,
                    .columns = 3,
                    .values = {0, 0.5F, 1, NAN, INFINITY, 0.25F}};
  write_heat_map(map, path("a.png"));
  const HeatMapGrid grid{.title = map.title, .columns = 1, .maps = {map}};
  HeatMapGrid untitled = grid;
  untitled.maps[0].title.clear();
  const PanelLayout panel = layout_of(untitled, {}, 0).panels[0];
  const Pixels pixels(path("a.png"));
  const auto corner = [&](int row, int column) {  // inside the cell, beside its number
    return pixels.at(2 * (panel.plot.x + column * panel.cell_width + 2),
                     2 * (panel.plot.y + row * panel.cell_height + 2));
  };
  EXPECT_EQ(corner(0, 0), rgb_of(color_of_share(0)));
  EXPECT_EQ(corner(0, 1), rgb_of(color_of_share(128 / 255.0)));
  EXPECT_EQ(corner(0, 2), rgb_of(color_of_share(1)));
  EXPECT_EQ(corner(1, 0), rgb_of(kNotFiniteColor));
  EXPECT_EQ(corner(1, 1), rgb_of(kNotFiniteColor));
  EXPECT_EQ(corner(1, 2), rgb_of(color_of_share(64 / 255.0)));
}

TEST_F(HeatMapTest, SmallCellsHaveTheColorsOfTheirValuesToo) {
  HeatMap map = map_of(150, 150);
  map.title.clear();
  map.values[3 * 150 + 5] = NAN;
  write_heat_map(map, path("a.png"));
  const PanelLayout panel = layout_of({"", 1, {map}}, {}, 0).panels[0];
  const Pixels pixels(path("a.png"));
  const auto middle = [&](int row, int column) {
    return pixels.at(2 * (panel.plot.x + (column + 0.5) * panel.cell_width),
                     2 * (panel.plot.y + (row + 0.5) * panel.cell_height));
  };
  EXPECT_EQ(middle(3, 5), rgb_of(kNotFiniteColor));
  for (const auto& [row, column] : {std::pair{1, 1}, {77, 20}, {148, 148}, {148, 1}}) {
    EXPECT_EQ(middle(row, column),
              rgb_of(color_of_share(map.values[static_cast<size_t>(row * 150 + column)])));
  }
}

TEST_F(HeatMapTest, GivenEndsOfTheScaleAreKept) {
  HeatMap map{.title = "", .rows = 1, .columns = 2, .values = {0.5F, 0.5F}};
  write_heat_map(map, path("a.png"), {.low = 0, .high = 1, .row_axis = "", .column_axis = ""});
  const Pixels pixels(path("a.png"));
  EXPECT_EQ(pixels.at(2 * 18, 2 * 18), rgb_of(color_of_share(128 / 255.0)));
  EXPECT_THROW(write_heat_map(map, path("a.png"), {.low = 1, .high = 1}), UsageError);
}

TEST_F(HeatMapTest, ScaleIsPixelsAPoint) {
  write_heat_map(map_of(5, 5), path("one.png"), {.scale = 1});
  write_heat_map(map_of(5, 5), path("three.png"), {.scale = 3});
  const Pixels one(path("one.png")), three(path("three.png"));
  EXPECT_EQ(three.width(), 3 * one.width());
  EXPECT_EQ(three.height(), 3 * one.height());
}

TEST_F(HeatMapTest, EverySizeFitsAPage) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1},
                                      {1, 2},
                                      {2, 1},
                                      {7, 7},
                                      {17, 33},
                                      {65, 65},
                                      {200, 200},
                                      {1, 200},
                                      {200, 1},
                                      {3, 1000},
                                      {kMaxHeatMapSide, 2}}) {
    write_heat_map(map_of(rows, columns), path("a.png"), {.scale = 1});
    const Pixels pixels(path("a.png"));
    EXPECT_GE(pixels.width(), 60) << rows << " × " << columns;
    EXPECT_LE(pixels.width(), 2400) << rows << " × " << columns;
    EXPECT_LE(pixels.height(), 2400) << rows << " × " << columns;
  }
}

TEST_F(HeatMapTest, LabelsNeverOverlap) {
  for (const int64_t tokens : {2, 10, 30, 60, 100, 200, 500}) {
    HeatMapGrid grid{.columns = 1, .maps = {map_of(tokens, tokens)}};
    const PanelLayout panel = layout_of(grid, {}, 0).panels[0];
    const double apart = static_cast<double>(panel.rows.every) * panel.cell_height;
    EXPECT_GE(apart, panel.rows.font.size) << tokens;
    EXPECT_LE(apart, 40) << tokens;
  }
}

TEST_F(HeatMapTest, ASentenceKeepsEveryLabelAndALongTextSaysWhichAreLeft) {
  for (const int64_t tokens : {10, 60, 80, 120}) {
    const PanelLayout panel = layout_of({"", 1, {map_of(tokens, tokens)}}, {}, 0).panels[0];
    EXPECT_EQ(panel.rows.every, 1) << tokens;
    EXPECT_EQ(panel.columns.every, 1) << tokens;
    EXPECT_THAT(write_heat_map(map_of(tokens, tokens), path("a.png"), {.scale = 1}),
                testing::IsEmpty());
  }
  EXPECT_THAT(write_heat_map(map_of(500, 3), path("a.png"), {.scale = 1}),
              testing::ElementsAre(HasSubstr("of rows 1 in 4 is drawn, of columns 1 in 1")));
}

TEST_F(HeatMapTest, TitlesWrap) {
  HeatMap map = map_of(6, 6);
  const double narrow = layout_of({"", 1, {map}}, {}, 0).width;
  std::string title;
  for (int i = 0; i < 30; ++i) title += "a long title ";
  const HeatMapGrid grid{.title = title, .columns = 1, .maps = {map}};
  const GridLayout layout = layout_of(grid, {}, 0);
  EXPECT_LE(layout.width, std::max(narrow, 200.0));
  EXPECT_GT(layout.title.height, 4 * kTitleFont.size);
  EXPECT_GT(layout.plots.y, layout.title.y + layout.title.height);

  map.title = title;
  const PanelLayout panel = layout_of({"", 1, {map}}, {}, 0).panels[0];
  EXPECT_LE(panel.title_width, std::max(panel.plot.width, 96.0));
  EXPECT_GT(panel.title_height, 4 * kPanelFont.size);
  EXPECT_GE(panel.plot.y - panel.columns.depth - panel.title_height, 0);
}

TEST_F(HeatMapTest, LettersThatNoFontHasAreTold) {
  HeatMap map = map_of(2, 2);
  map.row_labels[0] = "\U0010FFFD";  // for private use
  EXPECT_THAT(write_heat_map(map, path("a.png")),
              testing::ElementsAre(HasSubstr("apt install fonts-noto-core")));
}

TEST_F(HeatMapTest, LongLabelsAreCut) {
  HeatMap map = map_of(2, 2);
  map.row_labels[0] = std::string(100'000, 'w');
  map.column_labels[1] = map.row_labels[0];
  write_heat_map(map, path("a.png"), {.scale = 1});
  EXPECT_LT(Pixels(path("a.png")).width(), 500);
  const PanelLayout panel = layout_of({"", 1, {map}}, {}, 0).panels[0];
  EXPECT_THAT(panel.rows.texts[0], testing::EndsWith("w…"));
  EXPECT_EQ(panel.rows.texts[1], "query1");
}

TEST_F(HeatMapTest, AnyBytesMayBeLabels) {
  HeatMap map = map_of(8, 8);
  map.row_labels = {"日本語",       "🙂👩‍🔬", "e\u0301", "\xff\xfe\x80",
                    "\xef\xbf\xbe", "\n\t\x1b",        "عربي",    ""};
  map.column_labels = map.row_labels;
  map.title = "<&> \"日本\" \xff";
  for (const std::string name : {"a.png", "a.svg"}) write_heat_map(map, path(name));
  EXPECT_GT(Pixels(path("a.png")).width(), 100);
  const std::string svg = file_bytes(path("a.svg"));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("<title>&lt;&amp;&gt; \"日本\" \uFFFD</title>"));
}

TEST_F(HeatMapTest, SvgIsWellFormedAtEverySize) {
  for (const int64_t tokens : {1, 12, 50, 200}) {
    write_heat_map(map_of(tokens, tokens), path("a.svg"));
    const std::string svg = file_bytes(path("a.svg"));
    EXPECT_TRUE(is_well_formed(svg)) << tokens;
    EXPECT_THAT(svg, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    EXPECT_LT(svg.size(), 1'000'000U) << tokens;
  }
}

TEST_F(HeatMapTest, SameInputSameBytes) {
  for (const int64_t tokens : {5, 100}) {
    for (const std::string extension : {".png", ".svg"}) {
      write_heat_map(map_of(tokens, tokens), path("a" + extension));
      write_heat_map(map_of(tokens, tokens), path("b" + extension));
      EXPECT_EQ(file_bytes(path("a" + extension)), file_bytes(path("b" + extension)));
    }
  }
}

TEST_F(HeatMapTest, AllZeroAndNothingFiniteAreDrawn) {
  for (const float value : {0.0F, -2.0F, NAN}) {
    write_heat_map({.title = "", .rows = 2, .columns = 2, .values = {value, value, value, value}},
                   path("a.png"));
    EXPECT_GT(Pixels(path("a.png")).width(), 60);
  }
}

TEST_F(HeatMapTest, GridSharesLabelsAndColors) {
  HeatMapGrid grid{.title = "All heads", .columns = 2, .maps = {}};
  for (int head = 0; head < 3; ++head) {
    grid.maps.push_back(map_of(6, 6));
    grid.maps.back().title = "head " + std::to_string(head);
  }
  const GridLayout layout = layout_of(grid, {}, 0);
  EXPECT_TRUE(layout.panels[0].rows.drawn);
  EXPECT_FALSE(layout.panels[1].rows.drawn);  // as in the panel left of it
  EXPECT_TRUE(layout.panels[2].rows.drawn);
  EXPECT_TRUE(layout.panels[1].columns.drawn);
  EXPECT_FALSE(layout.panels[2].columns.drawn);  // as in the panel above
  EXPECT_EQ(layout.panels[0].plot.y, layout.panels[1].plot.y);
  EXPECT_EQ(layout.panels[0].plot.x, layout.panels[2].plot.x);
  EXPECT_GT(layout.panels[1].plot.x, layout.panels[0].plot.x + layout.panels[0].plot.width);

  grid.maps[1].row_labels[0] = "another";
  EXPECT_TRUE(layout_of(grid, {}, 0).panels[1].rows.drawn);
  write_heat_map_grid(grid, path("a.png"));
  write_heat_map_grid(grid, path("a.svg"));
  EXPECT_TRUE(is_well_formed(file_bytes(path("a.svg"))));
}

TEST_F(HeatMapTest, LargeGridsAreReducedNotRefused) {
  HeatMapGrid grid{.title = "Many", .columns = 64, .maps = {}};
  for (int i = 0; i < 64; ++i) grid.maps.push_back({"", {}, {}, 20, 20, std::vector<float>(400)});
  write_heat_map_grid(grid, path("a.png"), {.scale = 8});
  const Pixels pixels(path("a.png"));
  EXPECT_LE(std::max(pixels.width(), pixels.height()), 16001);
}

TEST_F(HeatMapTest, RefusesWhatItCannotDrawAndSaysWhy) {
  EXPECT_THAT(refusal_of({}, path("a.png")), HasSubstr("0 × 0"));
  HeatMap map = map_of(2, 3);
  map.values.pop_back();
  EXPECT_THAT(refusal_of(map, path("a.png")), HasSubstr("needs 6 values, not 5"));
  map = map_of(2, 3);
  map.row_labels.pop_back();
  EXPECT_THAT(refusal_of(map, path("a.png")), HasSubstr("2 rows need 2 labels (or none), not 1"));
  map = map_of(2, 3);
  map.column_labels.push_back("");
  EXPECT_THAT(refusal_of(map, path("a.png")), HasSubstr("3 columns need 3 labels"));
  EXPECT_THAT(refusal_of(map_of(1, kMaxHeatMapSide + 1), path("a.png")), HasSubstr("at most 4096"));
  EXPECT_THAT(refusal_of(map_of(1, 1), path("a.jpg")), HasSubstr(".png, .svg or .pdf"));
  EXPECT_THAT(refusal_of(map_of(1, 1), path("png")), HasSubstr(".png, .svg or .pdf"));
  EXPECT_THROW(write_heat_map(map_of(1, 1), path("a.png"), {.scale = 0}), UsageError);
  EXPECT_THROW(write_heat_map_grid({}, path("a.png")), UsageError);
  EXPECT_THROW(write_heat_map_grid({"", 0, {map_of(1, 1)}}, path("a.png")), UsageError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(HeatMapTest, AnUnwritablePathLeavesWhatWasThere) {
  std::ofstream(path("file")) << "kept";
  EXPECT_THROW(write_heat_map(map_of(2, 2), path("file/a.png")), Error);
  EXPECT_EQ(file_bytes(path("file")), "kept");
  EXPECT_THROW(write_heat_map(map_of(2, 2), "/proc/heed.png"), IoError);
}

TEST_F(HeatMapTest, WritesPdfTheSameEachTime) {
  write_heat_map(map_of(3, 5), path("a.pdf"));
  write_heat_map(map_of(3, 5), path("b.pdf"));
  const std::string bytes = file_bytes(path("a.pdf"));
  EXPECT_EQ(bytes.substr(0, 5), "%PDF-");
  EXPECT_THAT(bytes, HasSubstr("/Title (Attention)"));
  EXPECT_EQ(bytes, file_bytes(path("b.pdf")));
}

TEST_F(HeatMapTest, UpperCaseExtensionsCount) {
  write_heat_map(map_of(2, 2), path("A.PNG"));
  EXPECT_GT(Pixels(path("A.PNG")).width(), 60);
}

}  // namespace
}  // namespace heed
