#include "heed/data/images/object_data.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/images/object_json.h"
#include "heed/data/json_lines.h"
#include "heed/data/label_set.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/io/file.h"
#include "heed/io/printable.h"

namespace heed::data {
namespace {

constexpr double kOutside = 1;  // pixels that a box may reach beyond its picture, by rounding
constexpr int64_t kLeftOut = -1;

class ObjectReader {
 public:
  ObjectReader(const ObjectReadOptions& options, DataReport& report, ObjectData& data)
      : options_(options), report_(report), data_(data), labels_(options.pictures.label_names) {}

  void read(const std::vector<std::filesystem::path>& files) {
    for (const auto& file : files) {
      sources_.push_back({.json = read_object_json(file, options_.pictures.table.limits),
                          .folder = options_.folder.empty() ? file.parent_path() : options_.folder,
                          .pictures = {},
                          .categories = {}});
      names_.push_back(sources_.back().json.file());
      if (options_.has_objects) read_categories(sources_.back());
      list_pictures(sources_.back());
    }
    options_.has_pictures ? open_pictures() : take_names();
    data_.pictures.files = names_;
    if (options_.has_objects) {
      for (Source& source : sources_) read_annotations(source);
      data_.categories = labels_.names();
    }
    if (data_.count() == 0 && data_.pictures.unusable.empty() && report_.fatal_count() == 0) {
      report_.add(ProblemKind::kNoExamples, joined(names_), 0,
                  "expected pictures that can be used, found none");
    }
  }

 private:
  struct Source {
    JsonValue json;
    std::filesystem::path folder;
    std::unordered_map<int64_t, size_t> pictures;     // place in wanted_, by id
    std::unordered_map<int64_t, int64_t> categories;  // number, by id
  };
  struct Wanted {
    int64_t id = 0;
    std::string file;  // of annotations
    std::string place;
    std::filesystem::path path;
    ImageSize size = {};        // as the file says; 0: it does not
    int64_t number = kLeftOut;  // among those that are used
  };

  void bad(const std::string& file, const std::string& what,
           ProblemKind kind = ProblemKind::kMalformedRow) {
    if (options_.pictures.table.skip_bad) {
      ++data_.left_out;
    } else {
      report_.add(kind, file, 0, what);
    }
  }

  // Items of one of the lists of a file.
  template <typename Read>
  void each(const Source& source, const char* list, const Read& read) {
    for_each_item(source.json.at(list), read,
                  [&](const std::string& what) { bad(source.json.file(), what); });
  }

  void read_categories(Source& source) {
    const std::string file = source.json.file();
    std::set<int64_t> seen;
    std::string two_names;  // of one id: results could not tell them apart
    each(source, "categories", [&](const JsonValue& item) {
      const int64_t id = item.at("id").integer();
      const JsonValue name = item.at("name");
      if (source.categories.contains(id)) item.at("id").fail("an id that no other category has");
      const auto found = labels_.index_of(name.string(), [&](const std::string& detail) {
        report_.add(ProblemKind::kLookAlike, file, 0, detail);
      });
      if (!found && !labels_.is_fixed()) name.fail("a name");
      if (!found) name.fail("one of " + listed(labels_.names()));
      if (!seen.insert(*found).second) name.fail("a name that no other category has");
      source.categories[id] = *found;
      if (labels_.is_fixed()) return;
      auto& ids = data_.category_ids;
      if (*found < std::ssize(ids)) return;
      if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
        two_names = text_of("field '", item.path(), "': category ", id,
                            " has another name in the files before");
      }
      ids.push_back(id);
    });
    // Not of one item, which could be left out.
    check_class_count(labels_, options_.pictures.table.limits, file);
    if (!two_names.empty()) throw DataError(file, two_names);
  }

  void list_pictures(Source& source) {
    each(source, "images", [&](const JsonValue& item) {
      const int64_t id = item.at("id").integer();
      if (source.pictures.contains(id)) item.at("id").fail("an id that no other picture has");
      source.pictures[id] = wanted_.size();
      wanted_.push_back({.id = id, .file = source.json.file(), .place = item.path(), .path = {}});
      Wanted& wanted = wanted_.back();
      const auto side = [&](const char* name) {
        return item.has(name) ? item.at(name).integer({.least = 1, .most = 1 << 24}) : 0;
      };
      const std::string& name = item.at("file_name").string();
      if (name.empty()) item.at("file_name").fail("the name of a picture");
      wanted.size = {.height = side("height"), .width = side("width")};
      wanted.path = source.folder / std::filesystem::path(name);
    });
  }

  void unusable(const Wanted& wanted, const std::string& why) {
    if (options_.pictures.keep_unusable && !options_.pictures.table.skip_bad) {
      unusable_.push_back({.place = std::ssize(data_.image_ids),
                           .where = printable(wanted.path.string()),
                           .why = why});
    } else {
      bad(wanted.file,
          text_of("field '", wanted.place, "': ", printable(wanted.path.string()), ": ", why));
    }
  }

  // Why a file is no picture; empty: it begins as one.
  static std::string refusal(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return "expected a picture, found no file";
    try {
      if (is_image(LineReader(path).peek(16))) return "";
    } catch (const Error& unreadable) {
      return unreadable.what();
    }
    return "expected a PNG or a JPEG, found a file that begins as neither";
  }

  void open_pictures() {
    std::vector<std::string> refusals;
    std::vector<std::filesystem::path> paths;
    for (const Wanted& wanted : wanted_) {
      // What is wrong with the item itself is reported already.
      refusals.push_back(wanted.path.empty() ? "" : refusal(wanted.path));
      if (!wanted.path.empty() && refusals.back().empty()) paths.push_back(wanted.path);
    }
    ImageReadOptions reading = options_.pictures;
    reading.has_labels = false;
    reading.keep_unusable = true;
    reading.table.skip_bad = false;
    DataReport nothing_read;
    ImageData& pictures = data_.pictures;
    pictures = read_images(paths, reading, nothing_read);
    const std::vector<ImageData::Unusable> failed = std::exchange(pictures.unusable, {});
    auto next = failed.begin();
    std::vector<bool> wrong;  // of what was read
    for (size_t i = 0; i < wanted_.size(); ++i) {
      Wanted& wanted = wanted_[i];
      if (wanted.path.empty()) continue;
      if (!refusals[i].empty()) {
        unusable(wanted, refusals[i]);
      } else if (next != failed.end() && next->place == std::ssize(wrong)) {
        unusable(wanted, next->why);
        ++next;
      } else {
        const ImageSize& size = pictures.sizes[wrong.size()];
        const ImageSize said = {.height = wanted.size.height > 0 ? wanted.size.height : size.height,
                                .width = wanted.size.width > 0 ? wanted.size.width : size.width};
        wrong.push_back(said.height != size.height || said.width != size.width);
        if (wrong.back()) {
          unusable(wanted, text_of("expected a picture of ", said.width, " × ", said.height,
                                   " pixels, found one of ", size.width, " × ", size.height));
        } else {
          use(wanted, size);
        }
      }
    }
    if (std::find(wrong.begin(), wrong.end(), true) != wrong.end()) take_images(pictures, wrong);
    pictures.unusable = std::move(unusable_);
  }

  void take_names() {
    for (Wanted& wanted : wanted_) {
      if (wanted.path.empty()) continue;
      data_.pictures.names.push_back(printable(wanted.path.string()));
      data_.pictures.sizes.push_back(wanted.size);
      use(wanted, wanted.size);
    }
  }

  void use(Wanted& wanted, const ImageSize& size) {
    wanted.number = std::ssize(data_.image_ids);
    wanted.size = size;
    data_.image_ids.push_back(wanted.id);
  }

  void read_annotations(const Source& source) {
    std::unordered_set<int64_t> ids;
    each(source, "annotations", [&](const JsonValue& item) {
      if (item.has("id") && !ids.insert(item.at("id").integer()).second) {
        item.at("id").fail("an id that no other object has");
      }
      const auto picture = source.pictures.find(item.at("image_id").integer());
      if (picture == source.pictures.end()) item.at("image_id").fail("the id of one of the images");
      const Wanted& wanted = wanted_[picture->second];
      if (wanted.number == kLeftOut) return;
      const auto category = source.categories.find(item.at("category_id").integer());
      if (category == source.categories.end()) {
        item.at("category_id").fail("the id of one of the categories");
      }
      const auto [x, y, width, height] = box_from(item);
      if (width <= 0 || height <= 0) item.at("bbox").fail("a width and a height above 0");
      check_inside(item, {x, y, x + width, y + height}, wanted.size);
      data_.objects.push_back(
          {.image = wanted.number,
           .category = category->second,
           .x = x,
           .y = y,
           .width = width,
           .height = height,
           .area = item.has("area") ? item.at("area").number(
                                          {.least = 0, .most = kFarthestPixel * kFarthestPixel})
                                    : width * height,
           .crowd =
               item.has("iscrowd") && item.at("iscrowd").integer({.least = 0, .most = 1}) == 1});
    });
  }

  static void check_inside(const JsonValue& item, const std::array<double, 4>& corners,
                           const ImageSize& size) {
    if (size.height == 0 || size.width == 0) return;
    const bool is_inside = corners[0] >= -kOutside && corners[1] >= -kOutside &&
                           corners[2] <= static_cast<double>(size.width) + kOutside &&
                           corners[3] <= static_cast<double>(size.height) + kOutside;
    if (is_inside) return;
    item.at("bbox").fail(
        text_of("a box inside the picture of ", size.width, " × ", size.height, " pixels"));
  }

  const ObjectReadOptions& options_;
  DataReport& report_;
  ObjectData& data_;
  LabelSet labels_;
  std::vector<Source> sources_;
  std::vector<Wanted> wanted_;
  std::vector<std::string> names_;  // of the files
  std::vector<ImageData::Unusable> unusable_;
};

}  // namespace

ObjectData read_objects(const std::vector<std::filesystem::path>& files,
                        const ObjectReadOptions& options, DataReport& report) {
  ObjectData data;
  ObjectReader(options, report, data).read(files);
  return data;
}

ObjectData take_validation(ObjectData& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (int64_t i = 0; i < train.count(); ++i) {
    keys.push_back({.kind = "", .group = std::to_string(i)});
  }
  const std::vector<bool> held = held_back(keys, share, seed);
  std::vector<int64_t> numbers;  // the new ones
  int64_t kept = 0;
  int64_t taken = 0;
  for (const bool is_held : held) numbers.push_back(is_held ? taken++ : kept++);
  std::vector<bool> held_objects;
  for (LabeledObject& object : train.objects) {
    const auto image = static_cast<size_t>(object.image);
    held_objects.push_back(held[image]);
    object.image = numbers[image];
  }
  ObjectData valid{.pictures = take_images(train.pictures, held),
                   .image_ids = take_held_back(train.image_ids, held),
                   .categories = train.categories,
                   .category_ids = train.category_ids,
                   .objects = take_held_back(train.objects, held_objects)};
  report.note(split_note(valid.image_ids.size(), held.size(), "pictures", seed));
  if (valid.image_ids.empty()) {
    report.add(ProblemKind::kNoExamples, joined(train.pictures.files), 0,
               "expected pictures to hold back for validation, found none; give --valid, or more "
               "pictures");
  }
  return valid;
}

std::vector<FoundInFile> read_found_objects(const std::filesystem::path& file,
                                            const ObjectData& real, const Limits& limits,
                                            DataReport& report) {
  const auto numbers = [](const std::vector<int64_t>& ids) {
    std::unordered_map<int64_t, int64_t> by_id;
    for (const int64_t id : ids) by_id.emplace(id, std::ssize(by_id));
    return by_id;
  };
  const auto images = numbers(real.image_ids);
  const auto categories = numbers(real.category_ids);
  const auto number_of = [](const JsonValue& item, const char* name, const auto& among,
                            const char* expected) {
    const auto at = among.find(item.at(name).integer());
    if (at == among.end()) item.at(name).fail(expected);
    return at->second;
  };
  std::vector<FoundInFile> found;
  // `picture`: what says which one it is.
  const auto read = [&](const JsonValue& item, const JsonValue& picture) {
    const int64_t image =
        number_of(picture, "image_id", images, "the id of a picture of the annotations");
    const int64_t category =
        number_of(item, "category_id", categories, "the id of a category of the annotations");
    const auto [x, y, width, height] = box_from(item);
    found.push_back({.image = image,
                     .category = category,
                     .x = x,
                     .y = y,
                     .width = width,
                     .height = height,
                     .score = item.at("score").number()});
  };
  TextLines lines(file, {.limits = limits}, report);
  const FileLayout kind = lines.kind(Format::kAuto);
  if (kind.format == Format::kJsonl) {
    read_json_objects(lines, kind, [&](const JsonValue& picture, int64_t /*line*/) {
      const JsonValue objects = picture.at("objects");
      for (size_t i = 0; i < objects.array_size(); ++i) read(objects.at(i), picture);
    });
    return found;
  }
  const JsonValue json = read_object_json(file, limits);
  for_each_item(
      json, [&](const JsonValue& item) { read(item, item); },
      [&](const std::string& what) {
        report.add(ProblemKind::kMalformedRow, json.file(), 0, what);
      });
  return found;
}

}  // namespace heed::data
