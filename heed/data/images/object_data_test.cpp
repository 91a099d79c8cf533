#include "heed/data/images/object_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/data/testing/test_images.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kCategories = R"([{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}])";

class ObjectSets : public ::testing::Test {
 protected:
  ObjectSets() {
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      test::spill(folder_ / name, png_of(gradient(8, 10, 1)));
    }
  }

  std::filesystem::path written(const std::string& images, const std::string& annotations,
                                const std::string& categories = kCategories) {
    const std::filesystem::path file = folder_ / text_of("set", ++files_, ".json");
    test::spill(file, R"({"images": )" + images + R"(, "annotations": )" + annotations +
                          R"(, "categories": )" + categories + "}");
    return file;
  }

  // Three pictures with these annotations.
  std::filesystem::path with(const std::string& annotations) {
    return written(R"([{"id": 7, "file_name": "a.png", "width": 10, "height": 8},
                       {"id": 5, "file_name": "b.png"},
                       {"id": 1000000007, "file_name": "c.png", "height": 8}])",
                   annotations);
  }

  ObjectData read(const std::filesystem::path& file, const ObjectReadOptions& options = {}) {
    return read_objects({file}, options, report_);
  }

  // The one problem of a kind that reading this has.
  std::string problem(const std::filesystem::path& file) {
    report_ = {};
    read(file);
    EXPECT_EQ(report_.fatal_count(), 1) << report_.text();
    const auto& malformed = report_.examples(ProblemKind::kMalformedRow);
    return malformed.empty() ? "" : malformed.front().detail;
  }
  std::string problem_of(const std::string& annotation) {
    return problem(with("[" + annotation + "]"));
  }

  test::Folder folder_;
  DataReport report_;
  int files_ = 0;
};

TEST_F(ObjectSets, AnnotationsBelongToPictures) {
  const ObjectData data = read(with(
      R"([{"id": 1, "image_id": 5, "category_id": 9, "bbox": [1, 2, 3.5, 4], "area": 11, "iscrowd": 1},
          {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 10, 8]}])"));
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.count(), 3);
  EXPECT_EQ(data.pictures.pixels.size(), 3u * 80);
  EXPECT_THAT(data.image_ids, ElementsAre(7, 5, 1000000007));
  EXPECT_THAT(data.categories, ElementsAre("cat", "dog"));
  EXPECT_THAT(data.category_ids, ElementsAre(3, 9));
  ASSERT_EQ(data.objects.size(), 2u);
  const LabeledObject& dog = data.objects[0];
  EXPECT_EQ(dog.image, 1);
  EXPECT_EQ(dog.category, 1);
  EXPECT_EQ(dog.width, 3.5);
  EXPECT_EQ(dog.area, 11);
  EXPECT_TRUE(dog.crowd);
  EXPECT_EQ(data.objects[1].area, 80);
  EXPECT_FALSE(data.objects[1].crowd);
}

TEST_F(ObjectSets, BadAnnotationsAreNamed) {
  const std::string rest = R"(, "category_id": 3, "bbox": [0, 0, 2, 2]})";
  EXPECT_THAT(problem_of(R"({"id": 1, "category_id": 3, "bbox": [0, 0, 2, 2]})"),
              HasSubstr("field 'annotations[0].image_id' is missing"));
  EXPECT_THAT(
      problem_of(R"({"id": 1, "image_id": 8)" + rest),
      HasSubstr("'annotations[0].image_id': expected the id of one of the images, found 8"));
  EXPECT_THAT(problem_of(R"({"id": 1, "image_id": 7, "category_id": 4, "bbox": [0, 0, 2, 2]})"),
              HasSubstr("'annotations[0].category_id': expected the id of one of the categories"));
  EXPECT_THAT(
      problem_of(R"({"id": 1, "image_id": 7)" + rest + R"(, {"id": 1, "image_id": 5)" + rest),
      HasSubstr("'annotations[1].id': expected an id that no other object has, found 1"));
  const auto boxed = [&](const std::string& box) {
    return problem_of(R"({"id": 1, "image_id": 7, "category_id": 3, "bbox": )" + box + "}");
  };
  EXPECT_THAT(boxed("[1, 2, 3]"), HasSubstr("'annotations[0].bbox': expected four numbers"));
  EXPECT_THAT(boxed("[1, 2, 0, 3]"), HasSubstr("a width and a height above 0"));
  EXPECT_THAT(boxed("[1, 2, 3, \"4\"]"), HasSubstr("'annotations[0].bbox[3]': expected"));
  EXPECT_THAT(boxed("[8, 2, 4, 3]"), HasSubstr("a box inside the picture of 10 × 8 pixels"));
  EXPECT_THAT(boxed("[-1.5, 2, 4, 3]"), HasSubstr("a box inside the picture of 10 × 8 pixels"));
  report_ = {};
  read(with(R"([{"image_id": 7, "category_id": 3, "bbox": [-0.5, 0, 10.8, 8]}])"));  // rounded
  EXPECT_TRUE(report_.empty()) << report_.text();
}

TEST_F(ObjectSets, BadPicturesAreNamed) {
  test::spill(folder_ / "cut.png", png_of(gradient(8, 10, 1)).substr(0, 60));
  test::spill(folder_ / "text.png", "hello");
  test::spill(folder_ / "small.png", png_of(gradient(4, 10, 1)));
  const auto pictures = [&](const std::string& second) {
    return problem(written(R"([{"id": 1, "file_name": "a.png"}, )" + second + "]", "[]"));
  };
  EXPECT_THAT(pictures(R"({"id": 1, "file_name": "b.png"})"),
              HasSubstr("'images[1].id': expected an id that no other picture has, found 1"));
  EXPECT_THAT(pictures(R"({"id": 2})"), HasSubstr("'images[1].file_name' is missing"));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "none.png"})"), HasSubstr("found no file"));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "text.png"})"), HasSubstr("begins as neither"));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "cut.png"})"), HasSubstr("cannot be read"));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "small.png"})"),
              HasSubstr("10 × 4 pixels, expected 10 × 8"));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "b.png", "width": 12})"),
              HasSubstr("'images[1]': "));
  EXPECT_THAT(pictures(R"({"id": 2, "file_name": "b.png", "height": 0})"),
              HasSubstr("'images[1].height': expected"));
}

TEST_F(ObjectSets, BadCategoriesAreNamed) {
  const auto categories = [&](const std::string& list) {
    return problem(written(R"([{"id": 1, "file_name": "a.png"}])", "[]", list));
  };
  EXPECT_THAT(categories(R"([{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}])"),
              HasSubstr("'categories[1].id': expected an id that no other category has"));
  EXPECT_THAT(categories(R"([{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}])"),
              HasSubstr("'categories[1].name': expected a name that no other category has"));
  report_ = {};
  read(written(R"([{"id": 1, "file_name": "a.png"}])", "[]",
               R"([{"id": 1, "name": "cat"}, {"id": 2, "name": "Cat"}])"));
  EXPECT_EQ(report_.count(ProblemKind::kLookAlike), 1);
  EXPECT_THAT(categories(R"([{"id": 1, "name": ""}])"),
              HasSubstr("'categories[0].name': expected a name"));
  const auto known = written(R"([{"id": 1, "file_name": "a.png"}])", "[]");
  report_ = {};
  read(known, {.pictures = {.label_names = {"cat", "cow"}}});
  EXPECT_THAT(report_.text(), HasSubstr("one of \"cat\", \"cow\", found \"dog\""));
  ObjectReadOptions few;  // more than these are no matter of one category
  few.pictures.table.skip_bad = true;
  few.pictures.table.limits.most_classes = 1;
  EXPECT_THROW(read(known, few), DataError);
  // One id with two names could not be told apart in results.
  const auto other =
      written(R"([{"id": 1, "file_name": "a.png"}])", "[]", R"([{"id": 3, "name": "cow"}])");
  EXPECT_THROW(read_objects({known, other}, {}, report_), DataError);
}

TEST_F(ObjectSets, FilesThatAreNoneAreRefused) {
  test::spill(folder_ / "nan.json", R"({"images": [], "annotations": [{"bbox": [NaN, 0, 1, 1]}]})");
  EXPECT_THROW(read(folder_ / "nan.json"), DataError);
  test::spill(folder_ / "lists.json", R"({"images": [{"id": 1, "file_name": "a.png"}]})");
  EXPECT_THROW(read(folder_ / "lists.json"), DataError);
  EXPECT_THROW(read(folder_ / "none.json"), MissingInputError);
  read(written("[]", "[]"));
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
}

TEST_F(ObjectSets, WhatCannotBeUsedIsLeftOutIfWanted) {
  const auto file = written(
      R"([{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "none.png"}, {"id": 3, "file_name": "c.png"}])",
      R"([{"id": 1, "image_id": 2, "category_id": 3, "bbox": [0, 0, 2, 2]},
          {"id": 2, "image_id": 3, "category_id": 9, "bbox": [1, 1, 2, 2]},
          {"id": 3, "image_id": 3, "category_id": 9, "bbox": [1, 1, 20, 2]}])");
  const ObjectData data = read(file, {.pictures = {.table = {.skip_bad = true}}});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_THAT(data.image_ids, ElementsAre(1, 3));
  ASSERT_EQ(data.objects.size(), 1u);  // that of the missing picture goes with it
  EXPECT_EQ(data.objects[0].image, 1);
  EXPECT_EQ(data.left_out, 2);
  const ObjectData kept = read(file, {.pictures = {.keep_unusable = true}, .has_objects = false});
  ASSERT_EQ(kept.pictures.unusable.size(), 1u);
  EXPECT_EQ(kept.pictures.unusable[0].place, 1);
  EXPECT_THAT(kept.pictures.unusable[0].where, HasSubstr("none.png"));
  EXPECT_TRUE(kept.objects.empty());
}

TEST_F(ObjectSets, FoldersAndSizesAreChosen) {
  std::filesystem::create_directories(folder_ / "sub");
  std::filesystem::rename(folder_ / "b.png", folder_ / "sub/b.png");
  const auto file = written(R"([{"id": 2, "file_name": "b.png"}])",
                            R"([{"image_id": 2, "category_id": 3, "bbox": [2, 2, 4, 4]}])");
  const ObjectData data =
      read(file, {.pictures = {.height = 4, .width = 4, .channels = 3}, .folder = folder_ / "sub"});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.pictures.pixels.size(), 48u);
  EXPECT_EQ(data.pictures.sizes[0].width, 10);  // boxes stay in the pixels of the file
  EXPECT_EQ(data.objects[0].x, 2);
}

TEST_F(ObjectSets, ValidationTakesPicturesWithTheirObjects) {
  ObjectData train = read(with(
      R"([{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1]},
          {"image_id": 5, "category_id": 3, "bbox": [0, 0, 2, 1]},
          {"image_id": 1000000007, "category_id": 9, "bbox": [0, 0, 3, 1]}])"));
  const ObjectData valid = take_validation(train, 0.34, 1, report_);
  EXPECT_EQ(valid.count() + train.count(), 3);
  EXPECT_EQ(valid.count(), 1);
  EXPECT_EQ(train.pictures.pixels.size(), 160u);
  for (const ObjectData* part : std::initializer_list<const ObjectData*>{&train, &valid}) {
    ASSERT_EQ(std::ssize(part->objects), part->count());
    for (const LabeledObject& object : part->objects) {
      const int64_t id = part->image_ids[static_cast<size_t>(object.image)];
      EXPECT_EQ(object.width, id == 7 ? 1 : id == 5 ? 2 : 3);
    }
  }
}

TEST_F(ObjectSets, ResultsAreOfTheSamePictures) {
  const ObjectData real = read(with("[]"), {.has_pictures = false});
  const auto found = [&](const std::string& rows) {
    test::spill(folder_ / "found.json", rows);
    report_ = {};
    return read_found_objects(folder_ / "found.json", real, {}, report_);
  };
  const auto rows =
      found(R"([{"image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 0], "score": 0.5}])");
  EXPECT_TRUE(report_.empty()) << report_.text();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].image, 1);
  EXPECT_EQ(rows[0].category, 1);
  EXPECT_EQ(rows[0].score, 0.5);
  found(R"([{"image_id": 6, "category_id": 9, "bbox": [1, 2, 3, 0], "score": 0.5}])");
  EXPECT_THAT(report_.text(), HasSubstr("'[0].image_id': expected the id of a picture"));
  EXPECT_THROW(found("7"), DataError);
  const auto lines = found(
      R"({"image_id": 5, "objects": [{"category_id": 9, "bbox": [1, 2, 3, 0], "score": 0.5}]})"
      "\n"
      R"({"image_id": 7, "objects": []})"
      "\n");
  EXPECT_TRUE(report_.empty()) << report_.text();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].image, rows[0].image);
  EXPECT_EQ(lines[0].category, rows[0].category);
  EXPECT_EQ(lines[0].score, 0.5);
  found("{}");
  EXPECT_EQ(report_.fatal_count(), 1);
}

}  // namespace
}  // namespace heed::data
