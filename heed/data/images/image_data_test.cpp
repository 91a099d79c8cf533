#include "heed/data/images/image_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/data/images/idx.h"
#include "heed/data/testing/test_data.h"
#include "heed/data/testing/test_images.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImageSets : public ::testing::Test {
 protected:
  ImageData read(const std::filesystem::path& path, ImageReadOptions options = {}) {
    return read_images({path}, options, report_);
  }

  // Two classes of two and one pictures.
  std::filesystem::path classes() {
    for (const char* name : {"cat", "dog"})
      std::filesystem::create_directories(folder_ / "set" / name);
    test::spill(folder_ / "set/cat/b.png", png_of(gradient(4, 6, 1)));
    test::spill(folder_ / "set/cat/a.JPG", jpeg_of(gradient(4, 6, 3)));
    test::spill(folder_ / "set/dog/c.png", png_of(gradient(4, 6, 1)));
    test::spill(folder_ / "set/dog/notes.txt", "no picture");
    return folder_ / "set";
  }

  test::Folder folder_;
  DataReport report_;
};

TEST_F(ImageSets, AFolderIsAClass) {
  const ImageData data = read(classes());
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_THAT(data.labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(data.classes, ElementsAre(0, 0, 1));
  EXPECT_EQ(data.channels, 3);
  EXPECT_EQ(data.height, 4);
  EXPECT_EQ(data.width, 6);
  EXPECT_EQ(data.pixels.size(), 3u * 4 * 6 * 3);
  EXPECT_THAT(data.names[2], HasSubstr("dog/c.png"));
  const ImageData grey = read(classes(), {.height = 2, .width = 2, .channels = 1});
  EXPECT_EQ(grey.pixels.size(), 3u * 4);
}

TEST_F(ImageSets, ColoursBehindGreyMakeAllColoured) {
  std::filesystem::create_directories(folder_ / "set/x");
  test::spill(folder_ / "set/x/1.png", png_of(gradient(2, 2, 1)));
  test::spill(folder_ / "set/x/2.png", png_of(gradient(2, 2, 3)));
  const ImageData data = read(folder_ / "set");
  EXPECT_EQ(data.channels, 3);
  ASSERT_EQ(data.pixels.size(), 24u);
  EXPECT_EQ(data.pixels[3], data.pixels[5]);
  EXPECT_NE(data.pixels[15], data.pixels[17]);
}

TEST_F(ImageSets, IdxFilesBelongTogetherByName) {
  test::spill(folder_ / "train-images-idx3-ubyte", idx_of({3, 2, 2}, "abcdefghijkl"));
  test::spill(folder_ / "train-labels-idx1-ubyte", idx_of({3}, std::string("\x0A\x02\x0A")));
  const ImageData data = read(folder_ / "train-images-idx3-ubyte");
  EXPECT_THAT(data.labels, ElementsAre("2", "10"));
  EXPECT_THAT(data.classes, ElementsAre(1, 0, 1));
  EXPECT_EQ(data.pixels[4], 'e');
  EXPECT_THAT(data.names[2], HasSubstr("idx3-ubyte[2]"));
  EXPECT_TRUE(read(folder_ / "train-images-idx3-ubyte", {.has_labels = false}).classes.empty());
}

TEST_F(ImageSets, IdxFilesThatDoNotFitAreRefused) {
  const auto images = folder_ / "images";
  const auto labels = folder_ / "labels";
  const auto message = [&] { return test::message_of<DataError>([&] { read(images); }); };
  test::spill(images, idx_of({3, 2, 2}, "abcdefghijk"));
  EXPECT_THAT(message(), HasSubstr("expected 12 bytes behind the header, found 11"));
  test::spill(images, idx_of({3, 2, 2}, "abcdefghijkl"));
  test::spill(labels, idx_of({2}, "ab"));
  EXPECT_THAT(message(), HasSubstr("expected 3 classes"));
  test::spill(images, idx_of({3, 4}, "abcdefghijkl"));
  EXPECT_THAT(message(), HasSubstr("expected an IDX file of 3 dimensions, found 2"));
  test::spill(images, idx_of({1, 0xFFFFFFFF, 0xFFFFFFFF}, "a"));
  EXPECT_THAT(message(), HasSubstr("images: "));
  test::spill(images, idx_of({3, 2, 2}, "").substr(0, 9));
  EXPECT_THAT(message(), HasSubstr("cut off"));
  write_gzip(images, idx_of({30, 20, 20}, std::string(12'000, 'a')));
  const std::string packed = test::slurp(images);
  test::spill(images, packed.substr(0, packed.size() / 2));
  EXPECT_THAT(message(), HasSubstr("gzip"));
  const auto other = folder_ / "pictures.bin";
  test::spill(other, idx_of({1, 1, 1}, "a"));
  EXPECT_THAT(test::message_of<DataError>([&] { read(other); }), HasSubstr("--labels"));
}

TEST_F(ImageSets, ListsNameFilesAndClasses) {
  classes();
  test::spill(folder_ / "list.csv", "label,file\nyes,set/cat/b.png\nno,set/dog/c.png\n");
  const ImageData data = read(folder_ / "list.csv");
  EXPECT_THAT(data.labels, ElementsAre("no", "yes"));
  EXPECT_THAT(data.classes, ElementsAre(1, 0));
  test::spill(folder_ / "plain.csv", "set/cat/b.png,yes\nset/dog/c.png,no\n");
  EXPECT_THAT(read(folder_ / "plain.csv").classes, ElementsAre(1, 0));
  test::spill(folder_ / "bad.csv", "set/cat/b.png,yes\nset/none.png,no\nset/dog/c.png,\n");
  read(folder_ / "bad.csv");
  EXPECT_EQ(report_.count(ProblemKind::kMalformedRow), 1);
  EXPECT_THAT(report_.text(), HasSubstr("bad.csv:2"));
  EXPECT_THAT(report_.text(), HasSubstr("bad.csv:3: expected a class, found none"));
}

TEST_F(ImageSets, WhatCannotBeUsedIsNamedOrLeftOut) {
  const auto set = classes();
  const std::string whole = png_of(gradient(4, 6, 1));
  test::spill(set / "dog/cut.png", whole.substr(0, whole.size() - 20));
  test::spill(set / "dog/other.png", png_of(gradient(5, 6, 1)));
  read(set);
  EXPECT_EQ(report_.count(ProblemKind::kMalformedRow), 2);
  EXPECT_THAT(report_.text(), HasSubstr("dog/cut.png: the PNG cannot be read"));
  EXPECT_THAT(report_.text(), HasSubstr("6 × 5 pixels, expected 6 × 4"));
  DataReport other;
  std::swap(report_, other);
  const ImageData data = read(set, {.table = {.skip_bad = true}});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.count(), 3);
  EXPECT_EQ(data.left_out, 2);
}

TEST_F(ImageSets, ClassesThatLookAlikeAreSaid) {
  classes();
  test::spill(folder_ / "list.csv", "label,file\ncat,set/cat/b.png\nCat,set/dog/c.png\n");
  read(folder_ / "list.csv");
  EXPECT_THAT(only(report_, ProblemKind::kLookAlike), HasSubstr("3: \"Cat\" looks like \"cat\""));
}

TEST_F(ImageSets, ClassesOfAModelAreKept) {
  const ImageData data = read(classes(), {.label_names = {"dog", "cow", "cat"}});
  EXPECT_THAT(data.classes, ElementsAre(2, 2, 0));
  EXPECT_THAT(data.labels, ElementsAre("dog", "cow", "cat"));
  read(folder_ / "set", {.label_names = {"dog", "cow"}});
  EXPECT_EQ(report_.count(ProblemKind::kUnknownLabel), 2);
}

TEST_F(ImageSets, PicturesAloneHaveNoClass) {
  classes();
  const ImageData one = read(folder_ / "set/cat/b.png", {.has_labels = false});
  EXPECT_EQ(one.count(), 1);
  EXPECT_EQ(read(folder_ / "set", {.has_labels = false}).count(), 3);
  EXPECT_THROW(read(folder_ / "set/cat/b.png"), DataError);
  EXPECT_THROW(read(folder_ / "set/cat"), DataError);
  EXPECT_THROW(read(folder_ / "none"), MissingInputError);
}

TEST_F(ImageSets, MemoryIsLimited) {
  test::spill(folder_ / "images", idx_of({40, 10, 10}, std::string(4000, 'a')));
  test::spill(folder_ / "labels", idx_of({40}, std::string(40, 'b')));
  EXPECT_THROW(read(folder_ / "images", {.table = {.limits = {.most_bytes = 3000}}}), DataError);
  const auto set = classes();
  EXPECT_THAT(
      test::message_of<DataError>([&] { read(set, {.table = {.limits = {.most_bytes = 100}}}); }),
      HasSubstr("--max-bytes"));
}

TEST_F(ImageSets, UnusablePicturesAreKeptInTheirPlaces) {
  const auto set = classes();
  test::spill(set / "cat/aa.png", "no picture");
  test::spill(folder_ / "list.csv", "set/cat/b.png\nset/none.png\nset/dog/c.png\n");
  const ImageReadOptions options{
      .height = 4, .width = 6, .channels = 1, .has_labels = false, .keep_unusable = true};
  const ImageData folder = read(set, options);
  EXPECT_EQ(folder.count(), 3);
  ASSERT_EQ(folder.unusable.size(), 1u);
  EXPECT_EQ(folder.unusable[0].place, 1);
  EXPECT_THAT(folder.unusable[0].where, HasSubstr("cat/aa.png"));
  const ImageData list = read(folder_ / "list.csv", options);
  EXPECT_EQ(list.count(), 2);
  ASSERT_EQ(list.unusable.size(), 1u);
  EXPECT_EQ(list.unusable[0].place, 1);
  EXPECT_THAT(list.unusable[0].where, HasSubstr("list.csv:2"));
  EXPECT_THAT(list.unusable[0].why, HasSubstr("none.png"));
  EXPECT_TRUE(report_.empty()) << report_.text();
}

TEST_F(ImageSets, LabelsBelongToOneIdxFile) {
  test::spill(folder_ / "a", idx_of({2, 1, 1}, "ab"));
  test::spill(folder_ / "classes", idx_of({2}, "cd"));
  const ImageReadOptions options{.labels = folder_ / "classes"};
  EXPECT_THAT(read(folder_ / "a", options).labels, ElementsAre("99", "100"));
  EXPECT_THROW(read_images({folder_ / "a", folder_ / "a"}, options, report_), UsageError);
}

TEST_F(ImageSets, SomeAreHeldBackOfEachClass) {
  std::string pixels;
  for (char i = 0; i < 40; ++i) pixels += i;
  test::spill(folder_ / "images", idx_of({40, 1, 1}, pixels));
  test::spill(folder_ / "labels", idx_of({40}, std::string(20, 'b') + std::string(20, 'c')));
  ImageData train = read(folder_ / "images");
  const ImageData valid = take_validation(train, 0.1, 1, report_);
  EXPECT_THAT(valid.classes, ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(train.count(), 36);
  EXPECT_THAT(report_.notes(), ElementsAre(HasSubstr("4 of 40 pictures")));
  // Pixels and names stay beside each other.
  for (const ImageData* part : {&std::as_const(train), &valid}) {
    ASSERT_EQ(part->pixels.size(), part->names.size());
    for (size_t i = 0; i < part->names.size(); ++i) {
      EXPECT_THAT(part->names[i], HasSubstr(text_of('[', int{part->pixels[i]}, ']')));
    }
  }
  take_validation(train, 0, 1, report_);
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
}

}  // namespace
}  // namespace heed::data
