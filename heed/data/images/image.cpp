#include "heed/data/images/image.h"

#include <png.h>
#include <turbojpeg.h>

#include <memory>
#include <string>

#include "heed/base/error.h"
#include "heed/io/file.h"
#include "heed/io/printable.h"

namespace heed::data {
namespace {

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegStart = "\xFF\xD8\xFF";

struct Source {
  std::string file;  // for messages
  std::string_view bytes;
  const ImageLimits& limits;

  [[noreturn]] void fail(const std::string& what) const { throw DataError(file, what); }
  void check_size(int64_t height, int64_t width) const {
    if (height < 1 || width < 1) fail("expected a picture, found one without pixels");
    if (height <= limits.most_pixels / width) return;
    fail(text_of("a picture of ", width, " × ", height, " pixels, expected at most ",
                 limits.most_pixels, " in all"));
  }
};

// A picture whose last chunk is missing has been cut off, also where libpng finds all pixels.
bool has_end(std::string_view png) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(png[at]); };
  for (size_t at = kPngStart.size(); at + 12 <= png.size();) {
    const size_t length = size_t{byte(at)} << 24 | size_t{byte(at + 1)} << 16 |
                          size_t{byte(at + 2)} << 8 | size_t{byte(at + 3)};
    if (length > png.size() - at - 12) return false;
    if (png.substr(at + 4, 4) == "IEND") return true;
    at += length + 12;
  }
  return false;
}

Image read_png(const Source& source) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> guard(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, source.bytes.data(), source.bytes.size()) == 0) {
    source.fail(text_of("the PNG cannot be read: ", printable(png.message)));
  }
  source.check_size(png.height, png.width);
  const bool grey = (png.format & PNG_FORMAT_FLAG_COLOR) == 0;
  png.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Image image{.height = png.height, .width = png.width, .channels = grey ? 1 : 3};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  if (!has_end(source.bytes)) source.fail("the PNG cannot be read: its end is missing");
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr) == 0) {
    source.fail(text_of("the PNG cannot be read: ", printable(png.message)));
  }
  return image;
}

Image read_jpeg(const Source& source) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), tjDestroy);
  if (!decoder) source.fail("the JPEG decoder did not start");
  const auto* bytes = reinterpret_cast<const unsigned char*>(source.bytes.data());
  const auto check = [&](int result) {  // a warning, such as of data that is missing, is an error
    if (result == 0) return;
    source.fail(text_of("the JPEG cannot be read: ", printable(tjGetErrorStr2(decoder.get()))));
  };
  int width = 0;
  int height = 0;
  int sampling = 0;
  int colors = 0;
  check(tjDecompressHeader3(decoder.get(), bytes, source.bytes.size(), &width, &height, &sampling,
                            &colors));
  source.check_size(height, width);
  const bool grey = colors == TJCS_GRAY;
  Image image{.height = height, .width = width, .channels = grey ? 1 : 3};
  image.pixels.resize(static_cast<size_t>(image.height * image.width * image.channels));
  check(tjDecompress2(decoder.get(), bytes, source.bytes.size(), image.pixels.data(), width, 0,
                      height, grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS));
  return image;
}

}  // namespace

bool is_image(std::string_view bytes) {
  return bytes.starts_with(kPngStart) || bytes.starts_with(kJpegStart);
}

Image read_image(const std::filesystem::path& file, const ImageLimits& limits) {
  const std::string bytes = read_file(file, limits.most_bytes);
  const Source source{.file = printable(file.string()), .bytes = bytes, .limits = limits};
  if (source.bytes.starts_with(kPngStart)) return read_png(source);
  if (source.bytes.starts_with(kJpegStart)) return read_jpeg(source);
  source.fail(bytes.empty() ? "expected a PNG or a JPEG, found an empty file"
                            : "expected a PNG or a JPEG, found a file that begins as neither");
}

Image with_channels(const Image& image, int64_t channels) {
  if (image.channels == channels) return image;
  Image other{.height = image.height, .width = image.width, .channels = channels};
  other.pixels.reserve(static_cast<size_t>(image.height * image.width * channels));
  for (size_t i = 0; i < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
    if (channels == 3) {
      other.pixels.insert(other.pixels.end(), 3, image.pixels[i]);
    } else {
      const int luma =
          299 * image.pixels[i] + 587 * image.pixels[i + 1] + 114 * image.pixels[i + 2] + 500;
      other.pixels.push_back(static_cast<uint8_t>(luma / 1000));
    }
  }
  return other;
}

}  // namespace heed::data
