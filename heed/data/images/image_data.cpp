#include "heed/data/images/image_data.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/images/idx.h"
#include "heed/data/label_set.h"
#include "heed/data/open_table.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

namespace fs = std::filesystem;

constexpr auto kImageNames =
    std::to_array<std::string_view>({"image", "file", "path", "filename", "picture"});

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with('.')) entries.push_back(it->path());
  }
  if (error) throw MissingInputError(printable(folder.string()) + ": " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string with_part(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class ImageReader {
 public:
  ImageReader(const ImageReadOptions& options, DataReport& report, ImageData& data)
      : options_(options),
        report_(report),
        data_(data),
        labels_(options.has_labels ? options.label_names : std::vector<std::string>()),
        bytes_left_(bytes_allowed(options.table.limits)) {
    data.height = options.height;
    data.width = options.width;
    data.channels = options.channels;
  }

  void add(const fs::path& path) {
    data_.files.push_back(printable(path.string()));
    std::error_code error;
    if (fs::is_directory(path, error)) return add_folder(path);
    if (path != "-") {
      const std::string start = first_bytes(path);
      if (is_image(start)) return add_alone(path);
      if (is_idx(start)) return add_idx(path);
      if (has_image_name(path)) return add_alone(path);  // and what is wrong with it is said
    }
    add_list(path);
  }

  void finish() {
    if (data_.names.empty() && data_.unusable.empty() && report_.fatal_count() == 0) {
      report_.add(ProblemKind::kNoExamples, joined(data_.files), 0,
                  "expected pictures that can be used, found none");
    }
    if (!options_.has_labels) return;
    data_.labels = labels_.names();
    if (labels_.is_fixed()) return;
    const std::vector<int32_t> places = sort_with_places(data_.labels);
    for (int32_t& label : data_.classes) label = places[static_cast<size_t>(label)];
  }

 private:
  // Unpacked, as far as a kind is told by them.
  static std::string first_bytes(const fs::path& path) {
    LineReader reader(path);
    return std::string(reader.peek(16));
  }

  void bad(const std::string& file, int64_t line, const std::string& what,
           ProblemKind kind = ProblemKind::kMalformedRow) {
    if (options_.table.skip_bad) {
      ++data_.left_out;
    } else if (options_.keep_unusable) {
      data_.unusable.push_back({.place = data_.count(),
                                .where = line > 0 ? text_of(file, ':', line) : file,
                                .why = what});
    } else {
      report_.add(kind, file, line, what);
    }
  }

  // The number of a class; none where it is unknown, which is reported.
  std::optional<int32_t> class_of(std::string_view label, const std::string& file, int64_t line) {
    if (!options_.has_labels) return -1;
    const auto found = labels_.index_of(label, [&](const std::string& detail) {
      report_.add(ProblemKind::kLookAlike, file, line, detail);
    });
    check_class_count(labels_, options_.table.limits, file);
    if (found) return found;
    if (trimmed(label).empty()) {
      bad(file, line, "expected a class, found none", ProblemKind::kMissingLabel);
    } else {
      bad(file, line,
          text_of("class ", excerpt(label, 40), " is none of ", listed(labels_.names())),
          ProblemKind::kUnknownLabel);
    }
    return {};
  }

  void add_folder(const fs::path& folder) {
    const std::vector<fs::path> entries = sorted_entries(folder);
    const auto is_folder = [](const fs::path& path) { return fs::is_directory(path); };
    if (!options_.has_labels || std::none_of(entries.begin(), entries.end(), is_folder)) {
      if (options_.has_labels) {
        throw DataError(data_.files.back(), "expected a folder for each class in it, found none");
      }
      return add_pictures(folder, "");
    }
    for (const fs::path& entry : entries) {
      if (is_folder(entry)) add_pictures(entry, entry.filename().string());
    }
  }

  void add_pictures(const fs::path& folder, const std::string& label) {
    for (const fs::path& entry : sorted_entries(folder)) {
      if (fs::is_directory(entry)) {
        add_pictures(entry, label);
      } else if (has_image_name(entry)) {
        add_file(entry, label, printable(entry.string()), 0);
      }
    }
  }

  void add_alone(const fs::path& file) {
    if (options_.has_labels) {
      throw DataError(data_.files.back(),
                      "one picture, which says no class; expected a folder "
                      "with a folder for each class, an IDX file or a list");
    }
    add_file(file, "", data_.files.back(), 0);
  }

  // `where`, `line`: what names it in a list.
  void add_file(const fs::path& file, std::string_view label, const std::string& where,
                int64_t line) {
    Image image;
    try {
      image = read_image(file, options_.limits);
    } catch (const DataError& error) {
      const std::string_view what = error.what();
      const std::string named = where + ": ";
      return bad(where, line, std::string(what.substr(what.starts_with(named) ? named.size() : 0)));
    } catch (const MissingInputError& error) {
      if (line == 0) throw;
      return bad(where, line, error.what());
    }
    const auto number = class_of(label, where, line);
    if (number) add_image(image, *number, printable(file.string()), where, line);
  }

  void add_image(const Image& image, int32_t number, const std::string& name,
                 const std::string& where, int64_t line) {
    if (data_.height == 0) {
      data_.height = image.height;
      data_.width = image.width;
    }
    const bool stays = options_.height == 0 || !options_.resize;
    if (stays && (image.height != data_.height || image.width != data_.width)) {
      return bad(
          where, line,
          text_of("a picture of ", image.width, " × ", image.height, " pixels, expected ",
                  data_.width, " × ", data_.height,
                  options_.resize ? " as the first one has; --image-size brings all to one size"
                                  : ", as the model's preprocessor_config.json has no do_resize"));
    }
    if (data_.channels == 0) data_.channels = image.channels;
    if (options_.channels == 0 && image.channels > data_.channels) color_all();
    const Image sized = with_channels(
        resized(image, data_.height, data_.width, options_.resampling), data_.channels);
    append(sized.pixels.data(), sized.pixels.size());
    if (options_.has_labels) data_.classes.push_back(number);
    data_.names.push_back(name);
    data_.sizes.push_back({.height = image.height, .width = image.width});
  }

  void append(const uint8_t* pixels, size_t count) {
    if (count > bytes_left_) {
      throw DataError(data_.files.back(),
                      text_of("the pictures so far take about ", data_.pixels.size() >> 20,
                              " MiB of memory, as many as are allowed; give more with --max-bytes, "
                              "a smaller --image-size, or a part of the pictures"));
    }
    bytes_left_ -= count;
    data_.pixels.insert(data_.pixels.end(), pixels, pixels + count);
  }

  // The first picture with colours came behind grey ones.
  void color_all() {
    const Image all = with_channels({.height = std::ssize(data_.names) * data_.height,
                                     .width = data_.width,
                                     .channels = data_.channels,
                                     .pixels = std::move(data_.pixels)},
                                    3);
    data_.pixels.clear();
    data_.channels = 3;
    append(all.pixels.data(), all.pixels.size());
  }

  fs::path labels_of(const fs::path& images) {
    if (!options_.labels.empty()) {
      check_usage(!std::exchange(labels_read_, true),
                  "--labels: expected one IDX file of pictures, whose classes it has, got several");
      return options_.labels;
    }
    const std::string name = images.filename().string();
    const std::string other = with_part(with_part(name, "images", "labels"), "idx3", "idx1");
    if (other == name) {
      throw DataError(data_.files.back(),
                      "an IDX file whose classes are in a file that cannot be "
                      "told by its name; name it with --labels");
    }
    return images.parent_path() / other;
  }

  void add_idx(const fs::path& file) {
    const IdxArray images = read_idx(file, 3, bytes_left_);
    const int64_t count = images.shape[0];
    if (count == 0) return;
    const Image one{.height = images.shape[1], .width = images.shape[2], .pixels = {}};
    const bool small =
        one.height > 0 && one.width > 0 && one.height <= options_.limits.most_pixels / one.width;
    if (!small) {
      throw DataError(data_.files.back(), text_of("pictures of ", one.width, " × ", one.height,
                                                  " pixels, expected from 1 to ",
                                                  options_.limits.most_pixels, " in all"));
    }
    std::string classes;
    if (options_.has_labels) {
      const fs::path labels = labels_of(file);
      classes = read_idx(labels, 1, bytes_left_).bytes;
      if (std::ssize(classes) != count) {
        throw DataError(printable(labels.string()),
                        text_of("expected ", count, " classes, as there are pictures in ",
                                data_.files.back(), ", found ", classes.size()));
      }
    }
    const auto size = static_cast<size_t>(one.height * one.width);
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      const std::string name = text_of(data_.files.back(), '[', i, ']');
      const auto* first = reinterpret_cast<const uint8_t*>(images.bytes.data()) + at * size;
      const std::string label =
          options_.has_labels ? std::to_string(static_cast<unsigned char>(classes[at])) : "";
      const auto number = class_of(label, name, 0);
      if (!number) continue;
      add_image({.height = one.height, .width = one.width, .pixels = {first, first + size}},
                *number, name, name, 0);
    }
  }

  void add_list(const fs::path& file) {
    OpenTable table(file, options_.table, report_);
    if (table.is_empty()) return;
    const auto& cells = table.first().cells;
    const auto column = [&](std::span<const std::string_view> names) -> std::optional<size_t> {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (is_among(cells[i], names)) return i;
      }
      return {};
    };
    const auto image = column(kImageNames);
    const auto label = column(usual_label_names());
    table.set_header(image.has_value() || label.has_value());
    const size_t image_at = image.value_or(label == 0 ? 1 : 0);
    const size_t label_at = label.value_or(image_at == 0 ? 1 : 0);
    const size_t needed = std::max(image_at, options_.has_labels ? label_at : 0) + 1;
    if (cells.size() < needed) {
      throw DataError(table.file(),
                      text_of("expected a list of ", needed,
                              " columns, a picture and its class, found ", cells.size()));
    }
    for (Row row; table.next(row);) {
      const std::string_view name = table.name(row, image_at, "a picture");
      if (name.empty()) continue;
      add_file(file.parent_path() / fs::path(name),
               options_.has_labels ? row.cells[label_at] : std::string(), table.file(), row.line);
    }
    data_.left_out += table.left_out();
  }

  const ImageReadOptions& options_;
  DataReport& report_;
  ImageData& data_;
  LabelSet labels_;
  uint64_t bytes_left_;
  bool labels_read_ = false;  // those of the options
};

}  // namespace

bool has_image_name(const fs::path& file) {
  const std::string extension = lower_case_of(file.extension().string());
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

ImageData read_images(const std::vector<std::filesystem::path>& paths,
                      const ImageReadOptions& options, DataReport& report) {
  ImageData data;
  ImageReader reader(options, report, data);
  for (const std::filesystem::path& path : paths) reader.add(path);
  reader.finish();
  return data;
}

ImageData take_images(ImageData& data, const std::vector<bool>& held) {
  ImageData taken{.files = data.files,
                  .height = data.height,
                  .width = data.width,
                  .channels = data.channels,
                  .pixels = {},
                  .labels = data.labels,
                  .classes = {},
                  .names = take_held_back(data.names, held),
                  .sizes = take_held_back(data.sizes, held)};
  if (!data.classes.empty()) taken.classes = take_held_back(data.classes, held);
  // In place: a copy of what remains would take as much memory again.
  const int64_t size = data.size();
  auto from = data.pixels.begin();
  auto to = from;
  for (const bool is_held : held) {
    if (is_held) {
      taken.pixels.insert(taken.pixels.end(), from, from + size);
    } else {
      if (to != from) std::copy(from, from + size, to);
      to += size;
    }
    from += size;
  }
  data.pixels.erase(to, data.pixels.end());
  return taken;
}

ImageData take_validation(ImageData& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (size_t i = 0; i < train.names.size(); ++i) {
    keys.push_back({.kind = std::to_string(train.classes[i]), .group = std::to_string(i)});
  }
  const std::vector<bool> held = held_back(keys, share, seed);
  ImageData valid = take_images(train, held);
  report.note(split_note(valid.names.size(), held.size(), "pictures", seed));
  if (valid.names.empty()) {
    report.add(ProblemKind::kNoExamples, joined(train.files), 0,
               "expected pictures to hold back for validation, found none; give --valid, or more "
               "pictures");
  }
  return valid;
}

}  // namespace heed::data
