#include "heed/models/published/preprocessor.h"

#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/published/folders.h"
#include "heed/models/published/published.h"

namespace heed::models::published {
namespace {

constexpr uint64_t kMostPreprocessorBytes = uint64_t{16} << 20;
constexpr double kUsualPixel = 0.5;    // mean and deviation
constexpr double kWhisperHigh = 8000;  // Hz, whatever the sampling rate

// Pillow's numbers of its filters.
constexpr const char* kPillowFilters[] = {"nearest", "lanczos", "bilinear",
                                          "bicubic", "box",     "hamming"};

// Empty where there is none. `part`: of processor_config.json.
Config preprocessor_of(const Folders& folders, const char* part) {
  const auto read = [](const std::filesystem::path& file) {
    return read_json(file, {.max_bytes = kMostPreprocessorBytes});
  };
  if (const auto file = folders.find("preprocessor_config.json")) return Config(read(*file));
  if (const auto file = folders.find("processor_config.json")) {
    const JsonValue both = read(*file);
    if (both.has(part)) return Config(both.at(part));
  }
  return Config(JsonValue(Json::object(), "preprocessor_config.json"));
}

// Of the kinds that are the same under several names.
void expect_kind(const Config& config, const char* field,
                 std::initializer_list<std::pair<std::string_view, bool>> names) {
  for (const char* each : {field, "feature_extractor_type"}) {
    if (config.has(each)) config.json().at(each).one_of<bool>(names);
  }
}

void expect_image_processor(const Config& config) {
  expect_kind(config, "image_processor_type",
              {{"ViTImageProcessor", true},
               {"ViTImageProcessorFast", true},
               {"ViTImageProcessorPil", true},
               {"ViTFeatureExtractor", true}});
  for (const char* field : {"do_center_crop", "do_pad", "do_flip_channel_order"}) {
    config.expect(field, false);
  }
}

std::vector<double> numbers_of_channels(const Config& config, std::string_view name,
                                        int64_t channels, NumberRange range) {
  const auto count = static_cast<size_t>(channels);
  if (!config.has(name)) return std::vector<double>(count, kUsualPixel);
  const JsonValue value = config.json().at(name);
  if (value.json().is_number()) return std::vector<double>(count, value.number(range));
  if (value.array_size() != count) {
    value.fail(text_of(channels, " numbers, as num_channels of config.json says"));
  }
  std::vector<double> numbers;
  for (size_t i = 0; i < count; ++i) numbers.push_back(value.at(i).number(range));
  return numbers;
}

void read_size(const Config& preprocessor, const Config& config, ImagePreparation& read) {
  const bool has_own = preprocessor.has("size");
  if (has_own) {
    const JsonValue size = preprocessor.json().at("size");
    for (const char* edge : {"shortest_edge", "longest_edge"}) {
      if (size.json().is_object() && size.has(edge)) {
        size.fail("height and width, which is all that Heed has");
      }
    }
  }
  const Config& source = has_own ? preprocessor : config;
  const char* field = has_own ? "size" : "image_size";
  const Sides size = source.sides(field);
  const Sides patch = config.sides("patch_size");
  if (size.height % patch.height != 0 || size.width % patch.width != 0) {
    source.json().at(field).fail(text_of("a multiple of the patches of ", patch.height, " x ",
                                         patch.width, " pixels that config.json has"));
  }
  read.height = size.height;
  read.width = size.width;
}

}  // namespace

ImagePreparation read_image_preparation(const Folders& folders, const Config& config) {
  const Config preprocessor = preprocessor_of(folders, "image_processor");
  expect_image_processor(preprocessor);
  ImagePreparation read{.channels = config.size({"num_channels"})};
  if (read.channels != 1 && read.channels != 3) {
    config.json().at("num_channels").fail("1 or 3, as pictures have");
  }
  read_size(preprocessor, config, read);
  read.do_resize = preprocessor.boolean({"do_resize"}, true);
  const int64_t filter =
      preprocessor.integer({"resample"}, 2, {.least = 0, .most = std::ssize(kPillowFilters) - 1});
  read.resample = kPillowFilters[filter];
  read.rescale_factor =
      preprocessor.number({"rescale_factor"}, read.rescale_factor, {.least = 1e-9, .most = 1e9});
  if (!preprocessor.boolean({"do_rescale"}, true)) read.rescale_factor = 1;
  read.image_mean =
      numbers_of_channels(preprocessor, "image_mean", read.channels, {.least = -1e6, .most = 1e6});
  read.image_std =
      numbers_of_channels(preprocessor, "image_std", read.channels, {.least = 1e-9, .most = 1e6});
  if (!preprocessor.boolean({"do_normalize"}, true)) {
    read.image_mean.assign(read.image_mean.size(), 0);
    read.image_std.assign(read.image_std.size(), 1);
  }
  return read;
}

ImagePreparation image_preparation_in(const std::filesystem::path& directory) {
  return read_image_preparation(Folders(directory), config_in(directory));
}

std::string preprocessor_text(const ImagePreparation& preparation) {
  return json_text(
      OrderedJson{{"do_normalize", true},
                  {"do_rescale", true},
                  {"do_resize", preparation.do_resize},
                  {"image_mean", preparation.image_mean},
                  {"image_processor_type", "ViTImageProcessor"},
                  {"image_std", preparation.image_std},
                  {"resample", 2},
                  {"rescale_factor", preparation.rescale_factor},
                  {"size", {{"height", preparation.height}, {"width", preparation.width}}}});
}

audio::LogMelOptions read_sound_preparation(const Folders& folders, const Config& config) {
  const Config preprocessor = preprocessor_of(folders, "feature_extractor");
  expect_kind(preprocessor, "feature_extractor_type", {{"WhisperFeatureExtractor", true}});
  for (const char* field : {"dither", "padding_value"}) preprocessor.expect(field, int64_t{0});
  preprocessor.expect("do_normalize", false);
  const int64_t bands = config.integer({"num_mel_bins"}, 80);
  preprocessor.expect("feature_size", bands);
  audio::LogMelOptions read = audio::whisper_options(bands);
  constexpr int64_t kLeastRate = 16'000;  // twice the highest band
  read.sampling_rate = preprocessor.integer({"sampling_rate"}, read.sampling_rate,
                                            {.least = kLeastRate, .most = 1 << 20});
  read.high_freq = kWhisperHigh;
  read.window = preprocessor.integer({"n_fft"}, read.window, {.least = 2, .most = 1 << 16});
  read.hop = preprocessor.integer({"hop_length"}, read.hop, {.least = 1, .most = 1 << 16});
  if (!preprocessor.has("chunk_length")) return read;
  const JsonValue length = preprocessor.json().at("chunk_length");
  const double samples =
      length.number({.least = 0, .most = 1e5}) * static_cast<double>(read.sampling_rate);
  const int64_t frames = 2 * config.integer({"max_source_positions"}, 1500);
  if (std::llround(samples) / read.hop != frames) {
    length.fail(text_of("the seconds of ", frames, " frames, twice max_source_positions of ",
                        "config.json"));
  }
  return read;
}

}  // namespace heed::models::published
