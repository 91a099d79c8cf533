// What the tests of this folder read pictures with.
#pragma once

#include <cairo.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "heed/viz/drawing/color_map.h"

namespace heed {

inline std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// A fresh folder, removed in the end.
class PictureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heed_viz_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

// A PNG, read back by cairo.
class Pixels {
 public:
  using Rgb = std::array<int, 3>;

  explicit Pixels(const std::string& path)
      : surface_(cairo_image_surface_create_from_png(path.c_str())) {
    EXPECT_EQ(cairo_surface_status(surface_), CAIRO_STATUS_SUCCESS) << path;
  }
  ~Pixels() { cairo_surface_destroy(surface_); }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;

  int width() const { return cairo_image_surface_get_width(surface_); }
  int height() const { return cairo_image_surface_get_height(surface_); }
  Rgb at(double x, double y) const {
    const auto row = cairo_image_surface_get_data(surface_) +
                     static_cast<int>(y) * cairo_image_surface_get_stride(surface_);
    const uint32_t pixel = reinterpret_cast<const uint32_t*>(row)[static_cast<int>(x)];
    return {static_cast<int>(pixel >> 16 & 255), static_cast<int>(pixel >> 8 & 255),
            static_cast<int>(pixel & 255)};
  }
  int64_t count(const Rgb& color) const {
    int64_t found = 0;
    for (int y = 0; y < height(); ++y) {
      for (int x = 0; x < width(); ++x) found += at(x, y) == color ? 1 : 0;
    }
    return found;
  }

 private:
  cairo_surface_t* surface_;
};

inline Pixels::Rgb rgb_of(const Color& color) {
  const auto byte = [](double part) { return static_cast<int>(std::lround(part * 255)); };
  return {byte(color.red), byte(color.green), byte(color.blue)};
}

// Whether tags are balanced, attributes quoted and entities known: what XML asks of this writer.
inline testing::AssertionResult is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = 0; at < xml.size();) {
    if (xml[at] == '&') {
      const std::string entity = xml.substr(at, xml.find(';', at) + 1 - at);
      if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;") {
        return testing::AssertionFailure() << "entity " << entity.substr(0, 20);
      }
    }
    if (xml[at] != '<') {
      ++at;
      continue;
    }
    size_t end = at + 1;
    for (bool in_quotes = false; end < xml.size() && (in_quotes || xml[end] != '>'); ++end) {
      if (xml[end] == '"') in_quotes = !in_quotes;
      if (xml[end] == '<') return testing::AssertionFailure() << "< inside a tag";
    }
    if (end == xml.size()) return testing::AssertionFailure() << "a tag without end";
    const std::string tag = xml.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n\t/?", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) {
        return testing::AssertionFailure() << "<" << tag << "> closes nothing";
      }
      open.pop_back();
    } else if (tag[0] != '?' && tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  if (!open.empty()) return testing::AssertionFailure() << "<" << open.back() << "> stays open";
  return testing::AssertionSuccess();
}

}  // namespace heed
