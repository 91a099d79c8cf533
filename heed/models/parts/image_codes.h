// Pictures as codes, a whole number for each patch, for models that write them one by one.
//
// Each value of a pixel is brought to one of `levels` evenly spaced ones. A patch is then the code
// of the entry of a codebook that is nearest to it (vector quantisation: Gersho & Gray 1992); of
// patches of one value the codebook is the levels themselves, and nothing more is lost.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace heed::models {

struct ImageCodeOptions {
  int64_t height = 0;  // of a picture, pixels
  int64_t width = 0;
  int64_t channels = 1;
  // Pixels of a patch's side. 1: a code is one value, of colours red, green and blue one behind the
  // other, as van den Oord et al. 2016 (PixelRNN) have them; more: a code is a patch, all channels.
  int64_t patch_size = 1;
  int64_t levels = 256;

  int64_t values() const {  // of what a code stands for
    return patch_size == 1 ? 1 : patch_size * patch_size * channels;
  }
  int64_t rows() const { return (height + patch_size - 1) / patch_size; }
  int64_t columns() const {  // codes in a row
    return patch_size == 1 ? width * channels : (width + patch_size - 1) / patch_size;
  }
  int64_t count() const { return rows() * columns(); }        // codes of a picture
  int64_t size() const { return height * width * channels; }  // values of a picture
};

// From 0 to 255, of `level` from 0 to levels − 1: 255 · level / (levels − 1), rounded.
uint8_t value_of_level(int64_t level, int64_t levels);

// The nearest level of a value. value_of_level() and this are inverse for each level.
int64_t level_of_value(uint8_t value, int64_t levels);

// All patches that there can be: levels to the power of values(), in the order of their values;
// none where these are more than `most`.
std::vector<uint8_t> whole_codebook(const ImageCodeOptions& options, int64_t most);

// At most `most` patches, each of values that are levels, in the order of their values: all that
// there can be, where `most` is enough, else the means of k-means over patches of `pixels`,
// (N, height, width, channels). Lloyd 1982, begun as Arthur & Vassilvitskii 2007 (k-means++). The
// same pixels give the same codebook, whatever the number of threads.
std::vector<uint8_t> learnt_codebook(const ImageCodeOptions& options,
                                     std::span<const uint8_t> pixels, int64_t most);

class ImageCodes {
 public:
  // `codebook`: (K, values()), row by row, from 0 to 255. Throws UsageError for one that is empty
  // or of another width.
  ImageCodes(const ImageCodeOptions& options, std::vector<uint8_t> codebook);

  const ImageCodeOptions& options() const { return options_; }
  int64_t size() const { return size_; }  // K

  // Whether every picture of `levels` has codes of its own, from which it comes back as it was.
  bool is_exact() const;

  // (N, height, width, channels) -> (N, count()), row by row. What lies beyond the edges is 0. Of
  // entries that are equally near, the first. Throws UsageError for pixels that are not whole
  // pictures.
  std::vector<uint16_t> encode(std::span<const uint8_t> pixels) const;

  // (count()) -> (height, width, channels). Throws UsageError for another number of codes, or a
  // code that there is not.
  std::vector<uint8_t> decode(std::span<const int64_t> codes) const;

 private:
  ImageCodeOptions options_;
  std::vector<uint8_t> codebook_;
  std::vector<float> across_;  // (values, K): the codebook, so that all entries are tried at once
  int64_t size_ = 0;
};

}  // namespace heed::models
