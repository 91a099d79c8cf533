// The colours of a heat map: white through teal and blue to a dark violet, in steps that look
// equal.
#pragma once

namespace heed {

// sRGB, each part from 0 to 1.
struct Color {
  double red = 0, green = 0, blue = 0;
};

// The colour of `share`, from 0 (almost white) to 1 (dark); outside it, that of the nearer end.
// Steps are equal in OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020),
// and lightness falls all the way, so the map also reads in grey and to the colour-blind.
Color color_of_share(double share);

// What stands for a value that is no number: an orange that the map does not hold.
inline constexpr Color kNotFiniteColor{237 / 255.0, 107 / 255.0, 33 / 255.0};

// Of what stands around a picture: axis names and ticks, and frames.
inline constexpr Color kSoftColor{0.42, 0.44, 0.50};
inline constexpr Color kFrameColor{0.78, 0.80, 0.84};

// The relative luminance of WCAG 2, from 0 (black) to 1 (white).
double luminance(const Color& color);

// Black or white text, whichever has the larger contrast on `background`.
Color text_color_on(const Color& background);

}  // namespace heed
