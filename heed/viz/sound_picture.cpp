#include "heed/viz/sound_picture.h"

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/viz/drawing/canvas.h"
#include "heed/viz/drawing/color_map.h"
#include "heed/viz/drawing/fonts.h"
#include "heed/viz/drawing/ticks.h"

namespace heed {
namespace {

constexpr double kSoundMargin = 12;
constexpr double kWidth = 640;   // of the sound
constexpr double kHeight = 160;  // of its energies
constexpr double kStrip = 14;
constexpr double kBetween = 4;
constexpr double kBelow = 34;  // ticks and what they count
constexpr int64_t kMostColumns = 2000;

void check_picture(const SoundPicture& picture) {
  const std::string name = "picture of a sound " + excerpt(picture.title);
  check_usage(picture.frames > 0 && picture.frames <= kMostSoundFrames && picture.bins > 0, name,
              ": expected 1 to ", kMostSoundFrames, " frames of at least one band, got ",
              picture.frames, " of ", picture.bins);
  check_usage(std::ssize(picture.energies) == picture.frames * picture.bins, name, ": ",
              picture.frames, " × ", picture.bins, " needs ", picture.frames * picture.bins,
              " energies, not ", picture.energies.size());
  check_usage(picture.seconds_per_frame > 0 && picture.seconds_per_step > 0, name,
              ": expected frames and steps that take time");
}

Color color_between(double value, double low, double high) {
  if (!std::isfinite(value)) return kNotFiniteColor;
  return color_of_share(high > low ? (value - low) / (high - low) : 0);
}

}  // namespace

SoundPixels sound_pixels(const SoundPicture& picture) {
  check_picture(picture);
  const int64_t block = (picture.frames + kMostColumns - 1) / kMostColumns;
  const int64_t columns = (picture.frames + block - 1) / block;
  std::vector<double> means(static_cast<size_t>(columns * picture.bins));
  double low = INFINITY, high = -INFINITY;
  for (int64_t column = 0; column < columns; ++column) {
    const int64_t end = std::min(picture.frames, (column + 1) * block);
    for (int64_t bin = 0; bin < picture.bins; ++bin) {
      double sum = 0;
      for (int64_t frame = column * block; frame < end; ++frame) {
        sum += picture.energies[static_cast<size_t>(frame * picture.bins + bin)];
      }
      const double mean = sum / static_cast<double>(end - column * block);
      means[static_cast<size_t>((picture.bins - 1 - bin) * columns + column)] = mean;
      if (!std::isfinite(mean)) continue;
      low = std::min(low, mean);
      high = std::max(high, mean);
    }
  }
  SoundPixels pixels{.height = picture.bins, .width = columns, .frames_per_column = block};
  pixels.colors.reserve(means.size());
  for (const double mean : means) pixels.colors.push_back(color_between(mean, low, high));
  return pixels;
}

namespace {

void draw_energies(Canvas& canvas, const SoundPicture& picture, const Box& box) {
  const SoundPixels pixels = sound_pixels(picture);
  canvas.image(box, pixels.height, pixels.width, pixels.colors);
  canvas.outline(box, kFrameColor, 0.75);
}

void draw_strip(Canvas& canvas, const SoundPicture::Strip& strip, const Box& sound, double y,
                double points_per_step) {
  float high = 0;
  for (const float weight : strip.weights) {
    if (std::isfinite(weight)) high = std::max(high, weight);
  }
  std::vector<Color> colors;
  for (const float weight : strip.weights) colors.push_back(color_between(weight, 0, high));
  canvas.text(sound.x - 6, y + kStrip / 2, strip.name,
              {.font = kTickFont, .color = kSoftColor, .align = Align::kRight});
  // The last step may reach behind the end of the sound.
  const double width = points_per_step * static_cast<double>(strip.weights.size());
  if (!colors.empty()) canvas.image({sound.x, y, width, kStrip}, 1, std::ssize(colors), colors);
}

void draw_times(Canvas& canvas, const Box& sound, double seconds, double y) {
  const Ticks ticks = nice_ticks(0, seconds, 8);
  for (size_t i = 0; i < ticks.values.size(); ++i) {
    const double x = sound.x + sound.width * ticks.values[i] / seconds;
    canvas.line({{x, y}, {x, y + 3.5}}, kSoftColor, 0.9);
    canvas.text(x, y + 11, ticks.labels[i],
                {.font = kTickFont, .color = kSoftColor, .align = Align::kCenter});
  }
  canvas.text(sound.x + sound.width / 2, y + 26, "seconds",
              {.font = kAxisFont, .color = kSoftColor, .align = Align::kCenter});
}

}  // namespace

std::vector<std::string> write_sound_picture(const SoundPicture& picture, const std::string& path) {
  const PictureFormat format = picture_format(path);
  check_picture(picture);
  const double seconds = picture.seconds_per_frame * static_cast<double>(picture.frames);
  const double points_per_step = kWidth * picture.seconds_per_step / seconds;
  double names = 30, longest = kWidth;
  for (const auto& strip : picture.strips) {
    names = std::max(names, text_width(strip.name, kTickFont));
    longest = std::max(longest, points_per_step * static_cast<double>(strip.weights.size()));
  }
  const double left = kSoundMargin + names + 6;
  const double title =
      picture.title.empty()
          ? 0
          : text_height(picture.title, kTitleFont, left + kWidth - kSoundMargin) + 10;
  const Box sound{left, kSoundMargin + title, kWidth, kHeight};
  const double strips = static_cast<double>(picture.strips.size()) * (kStrip + kBetween);
  const double bottom = sound.y + kHeight + 2 * kBetween + strips;
  Canvas canvas(format,
                {.width = left + longest + kSoundMargin, .height = bottom + kBelow + kSoundMargin},
                picture.title);
  if (!picture.title.empty()) {
    canvas.text(kSoundMargin, kSoundMargin, picture.title,
                {.font = kTitleFont, .width = left + kWidth - kSoundMargin});
  }
  draw_energies(canvas, picture, sound);
  double y = sound.y + kHeight + 2 * kBetween;
  for (const auto& strip : picture.strips) {
    draw_strip(canvas, strip, sound, y, points_per_step);
    y += kStrip + kBetween;
  }
  draw_times(canvas, sound, seconds, bottom);
  return write_picture(path, picture_of(canvas));
}

}  // namespace heed
