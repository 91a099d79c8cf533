#include "heed/cli/commands/generate_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"
#include "heed/cli/commands/generated_texts.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/data/images/image_sheet.h"
#include "heed/io/atomic.h"
#include "heed/io/json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/tasks/image/image_generation.h"

namespace heed::cli {
namespace {

// The pictures of each class, and how they stand on a sheet.
struct Samples {
  std::vector<std::string> labels;  // of the classes that were asked for
  std::vector<data::Image> images;  // class by class, as many of each
  int64_t of_each = 0;

  // A row for each class; of one class a square.
  int64_t columns() const {
    if (labels.size() > 1) return of_each;
    return static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(of_each))));
  }
  const std::string& label(int64_t i) const { return labels[static_cast<size_t>(i / of_each)]; }
};

std::vector<int64_t> chosen_classes(const std::vector<std::string>& wanted,
                                    const std::vector<std::string>& labels) {
  std::vector<int64_t> numbers;
  for (const std::string& each : wanted) {
    const auto found = std::find(labels.begin(), labels.end(), each);
    check_usage(found != labels.end(), "--class: expected one of ", joined(labels), ", got '", each,
                "'");
    const int64_t number = found - labels.begin();
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      numbers.push_back(number);
    }
  }
  for (int64_t i = 0; wanted.empty() && i < std::ssize(labels); ++i) numbers.push_back(i);
  return numbers;
}

bool is_png(const std::string& path) { return std::filesystem::path(path).extension() == ".png"; }

// A folder for each class, as `heed train image` reads them: "7/0001.png".
void write_folders(const Samples& samples, const std::string& folder) {
  AtomicDirectory target(folder, samples.labels);
  for (int64_t i = 0; i < std::ssize(samples.images); ++i) {
    target.write(samples.label(i) +
                     formatted("/%04lld.png", static_cast<long long>(i % samples.of_each + 1)),
                 data::png_bytes(samples.images[static_cast<size_t>(i)]));
  }
  target.commit();
}

void write_sheet(const Samples& samples, const std::string& path) {
  AtomicFile file(path);
  file.write(data::png_bytes(data::sheet_of(samples.images, {.columns = samples.columns()})));
  file.commit();
}

// A line of values for each row of pixels; of colours red, green and blue of each.
OrderedJson rows_of(const data::Image& image) {
  OrderedJson rows = OrderedJson::array();
  const int64_t line = image.width * image.channels;
  for (auto from = image.pixels.begin(); from != image.pixels.end(); from += line) {
    rows.push_back(std::vector<int64_t>(from, from + line));
  }
  return rows;
}

void print_pictures(const Samples& samples) {
  for (int64_t i = 0; i < std::ssize(samples.images); ++i) {
    const OrderedJson one = {{"class", samples.label(i)},
                             {"sample", i % samples.of_each + 1},
                             {"row", i / samples.columns() + 1},
                             {"column", i % samples.columns() + 1},
                             {"pixels", rows_of(samples.images[static_cast<size_t>(i)])}};
    std::cout << one.dump() << '\n';
  }
  flush_output();
}

constexpr auto kOfPictures = std::to_array<std::string_view>({"class", "num-samples", "out"});
// Of the other options of heed generate, those that pictures have too; and all that say how tokens
// are drawn, but for the penalty of those that are there already.
constexpr auto kOfBoth = std::to_array<std::string_view>({"config", "dtype", "threads", "json"});

bool is_option_of(std::span<const std::string_view> options, const std::string& name) {
  return std::find(options.begin(), options.end(), name) != options.end();
}

}  // namespace

bool writes_pictures(const std::string& directory) {
  return std::filesystem::exists(std::filesystem::path(directory) / "config.json") &&
         !models::is_published(directory) &&
         models::model_type_of(directory) == models::kImageGeneratorType;
}

void GeneratePictures::check_not_given(const Options& command) {
  for (const std::string& name : command.given()) {
    check_usage(!is_option_of(kOfPictures, name), "--", name,
                ": has no meaning for a model that writes text");
  }
}

void GeneratePictures::add_to(Options& options) {
  const std::string group = "Pictures";
  options
      .add("--class", classes,
           "Class to make pictures of; several may be given; without: all that the model knows")
      .repeats()
      .one_word_each()
      .group(group);
  options.add("--num-samples", num_samples, "Pictures of each class")
      .range(1, 100'000)
      .group(group);
  options
      .add("--out", out,
           "Where to write pictures: a sheet (.png), with a row for each class, or a folder, with "
           "a folder for each class")
      .group(group);
}

void GeneratePictures::run(const Run& how) const {
  const std::set<std::string> drawing = drawing_options();
  for (const std::string& name : how.command.given()) {
    const bool draws = drawing.count("--" + name) > 0;
    check_usage(draws || is_option_of(kOfPictures, name) || is_option_of(kOfBoth, name), "--", name,
                ": has no meaning for a model that writes pictures");
  }
  check_usage(!out.empty() || how.json,
              "--out: expected a sheet (.png) or a folder to write pictures to, or --json");
  const models::TrainedImageGenerator trained = models::load_image_generator(how.directory);
  if (how.dtype == "bfloat16") trained.model->language_model()->to(at::kBFloat16);
  const std::vector<int64_t> numbers = chosen_classes(classes, trained.labels);
  Samples samples{.labels = {}, .images = {}, .of_each = num_samples};
  for (const int64_t number : numbers) {
    samples.labels.push_back(trained.labels[static_cast<size_t>(number)]);
  }
  const bool sheet = is_png(out);
  if (!out.empty() && !sheet) check_replaceable(out, samples.labels);
  const InterruptGuard guard;
  const tasks::Progress progress = progress_bar("writing pictures");
  for (size_t i = 0; i < numbers.size(); ++i) {
    std::vector<data::Image> more = tasks::sampled_images(
        trained, numbers[i], {.sampling = how.sampling, .count = num_samples, .cancelled = [] {
                                return InterruptGuard::interrupted();
                              }});
    std::move(more.begin(), more.end(), std::back_inserter(samples.images));
    progress(static_cast<int64_t>(i) + 1, std::ssize(numbers));
  }
  if (!out.empty()) {
    if (sheet) {
      write_sheet(samples, out);
    } else {
      write_folders(samples, out);
    }
    std::cerr << "heed: wrote " << samples.images.size() << " pictures to " << out << '\n';
  }
  if (how.json) print_pictures(samples);
}

}  // namespace heed::cli
