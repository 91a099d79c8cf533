// Pictures with classes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/data/images/image.h"
#include "heed/data/images/image_data.h"
#include "heed/doctor/data_kind.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr int64_t kComparedSide = 64;  // pixels that pictures are compared by, a side
constexpr double kStretched = 2;       // largest ratio of the sides of two pictures that is usual

bool are_images(const DataToCheck& asked) { return has_files(asked, data::has_image_name); }

struct Pictures {
  std::string name;  // of the split
  data::ImageData all;

  const uint8_t* pixels(size_t i) const {
    return all.pixels.data() + i * static_cast<size_t>(all.size());
  }
  size_t count() const { return all.names.size(); }

  bool is_blank(size_t i) const {
    const uint8_t* first = pixels(i);
    const auto step = static_cast<size_t>(all.channels), size = static_cast<size_t>(all.size());
    for (size_t at = step; at < size; ++at) {
      if (first[at] != first[at - step]) return false;
    }
    return true;
  }
  bool is_grey(size_t i) const {
    const uint8_t* first = pixels(i);
    for (size_t at = 0; at + 2 < static_cast<size_t>(all.size()); at += 3) {
      if (first[at] != first[at + 1] || first[at] != first[at + 2]) return false;
    }
    return true;
  }
};

// Samples whose texts are the pixels.
Split picture_samples(const Pictures& pictures) {
  Split split{.name = pictures.name};
  for (size_t i = 0; i < pictures.count(); ++i) {
    const data::ImageSize& size = pictures.all.sizes[i];
    Sample& sample = split.samples.emplace_back();
    sample.text = text_of(size.height, 'x', size.width, ' ');
    sample.text.append(reinterpret_cast<const char*>(pictures.pixels(i)),
                       static_cast<size_t>(pictures.all.size()));
    sample.labels = {pictures.all.classes[i]};
    sample.file = file_index(split, pictures.all.names[i]);
  }
  return split;
}

void check_unreadable(const std::vector<Pictures>& all, Report& report) {
  report.made("unreadable pictures");
  for (const Pictures& pictures : all) {
    const auto& unusable = pictures.all.unusable;
    if (unusable.empty()) continue;
    std::vector<std::string> examples;
    for (size_t i = 0; i < std::min(unusable.size(), kExamples); ++i) {
      examples.push_back(unusable[i].where + ": " + unusable[i].why);
    }
    report.add(
        {.check = "unreadable pictures",
         .severity = Severity::kStop,
         .summary = text_of(pictures.name, ": ", unusable.size(),
                            unusable.size() == 1 ? " picture" : " pictures", " cannot be read"),
         .advice = "heed train refuses them; mend or remove them, or give --skip-bad there",
         .examples = std::move(examples)});
  }
}

// Those of a split that `found` says yes to.
template <typename Found>
void report_pictures(const Pictures& pictures, const char* check, const char* what,
                     const char* advice, const Found& found, Report& report) {
  int64_t count = 0;
  std::vector<std::string> examples;
  for (size_t i = 0; i < pictures.count(); ++i) {
    if (!found(i)) continue;
    ++count;
    if (examples.size() < kExamples) examples.push_back(pictures.all.names[i]);
  }
  if (count == 0 ||
      (std::string_view(check) == "colours" && count == static_cast<int64_t>(pictures.count()))) {
    return;
  }
  report.add(
      {.check = check,
       .severity = Severity::kWarning,
       .summary = text_of(pictures.name, ": ",
                          share_text(count, std::ssize(pictures.all.names), "pictures"), what),
       .advice = advice,
       .examples = std::move(examples)});
}

void check_sizes(const std::vector<Pictures>& all, Report& report) {
  report.made("sizes");
  for (const Pictures& pictures : all) {
    const auto& sizes = pictures.all.sizes;
    if (sizes.empty()) continue;
    const auto ratio = [](const data::ImageSize& size) {
      return static_cast<double>(size.width) / static_cast<double>(size.height);
    };
    const auto area = [](const data::ImageSize& a, const data::ImageSize& b) {
      return a.height * a.width < b.height * b.width;
    };
    const auto [small, large] = std::minmax_element(sizes.begin(), sizes.end(), area);
    report.numbers["sizes"][pictures.name] = {{"smallest", {small->width, small->height}},
                                              {"largest", {large->width, large->height}}};
    const auto [tall, wide] =
        std::minmax_element(sizes.begin(), sizes.end(),
                            [&](const auto& a, const auto& b) { return ratio(a) < ratio(b); });
    if (ratio(*wide) <= kStretched * ratio(*tall)) continue;
    const auto name = [&](const auto& at) {
      return pictures.all.names[static_cast<size_t>(at - sizes.begin())] +
             text_of(": ", at->width, " × ", at->height);
    };
    report.add({.check = "sizes",
                .severity = Severity::kWarning,
                .summary = text_of(pictures.name, ": shapes from ", tall->width, " × ",
                                   tall->height, " to ", wide->width, " × ", wide->height),
                .advice = "all are brought to one size and so stretched; crop them first",
                .examples = {name(tall), name(wide)}});
  }
}

void check_images(const DataToCheck& asked, Report& report) {
  Data data;
  std::vector<Pictures> all;
  data::ImageReadOptions options{.table = asked.table(),
                                 .height = kComparedSide,
                                 .width = kComparedSide,
                                 .channels = 3,
                                 .keep_unusable = true};
  for (const SplitFiles& files : asked.splits) {
    all.push_back({files.name, data::read_images(files.files, options, data.reading)});
    options.label_names = data.labels = all[0].all.labels;
  }
  for (const Pictures& pictures : all) data.splits.push_back(picture_samples(pictures));
  begin_report(data, report);
  check_unreadable(all, report);
  check_sizes(all, report);
  report.made("blank pictures");
  report.made("colours");
  for (const Pictures& pictures : all) {
    report_pictures(
        pictures, "blank pictures", " are of one colour",
        "look at them: often what an error left behind",
        [&](size_t i) { return pictures.is_blank(i); }, report);
    report_pictures(
        pictures, "colours", " are grey, the others are not",
        "see that classes do not differ in it, or make all grey (--channels 1)",
        [&](size_t i) { return pictures.is_grey(i); }, report);
  }
  check_duplicates(data, report, {.one = "picture", .many = "pictures", .words = false});
  check_balance(data, report);
}

}  // namespace

DataKind images_kind() { return {.task = "image", .is = are_images, .check = check_images}; }

}  // namespace heed::doctor
