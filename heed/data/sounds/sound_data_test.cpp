#include "heed/data/sounds/sound_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/audio/testing/tone.h"
#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Sounds : public testing::Test {
 protected:
  void add(const std::string& name, int64_t samples = 1600) {
    const auto file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    test::spill(file, audio::test::wav(audio::test::tone(16'000, samples)));
  }

  SoundData read(const std::string& input, SoundReadOptions options = {}) {
    report_ = {};
    return read_sounds({folder_ / input}, options, report_);
  }

  test::Folder folder_;
  DataReport report_;
};

TEST_F(Sounds, OfAFolderForEachClass) {
  add("set/yes/2.wav");
  add("set/yes/deep/1.wav");
  add("set/no/1.wav", 3200);
  test::spill(folder_ / "set/no/README.txt", "not read");
  const SoundData data = read("set");
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_THAT(data.labels, ElementsAre("no", "yes"));
  ASSERT_EQ(data.examples.size(), 3U);
  EXPECT_EQ(data.examples[0].label, 0);
  EXPECT_EQ(data.examples[0].features.frames, 21);
  EXPECT_EQ(data.examples[0].features.bins, 80);
  EXPECT_EQ(data.examples[1].label, 1);
  EXPECT_NEAR(data.seconds(), 0.4, 1e-9);
}

TEST_F(Sounds, OfATable) {
  add("a.wav");
  add("b/c.wav");
  test::spill(folder_ / "with.csv", "label,file\nx,a.wav\ny,b/c.wav\n");
  test::spill(folder_ / "without.tsv", "a.wav\tx\nb/c.wav\ty\n");
  for (const char* table : {"with.csv", "without.tsv"}) {
    const SoundData data = read(table);
    EXPECT_TRUE(report_.empty()) << report_.text();
    EXPECT_THAT(data.labels, ElementsAre("x", "y"));
    EXPECT_EQ(data.examples.size(), 2U);
  }
  test::spill(folder_ / "text.csv", "path,sentence\na.wav,one two\n");
  const SoundData said = read("text.csv", {.list = {.target = SoundTarget::kText}});
  EXPECT_EQ(said.examples.at(0).entry.target, "one two");
  EXPECT_EQ(said.examples.at(0).entry.where(), (folder_ / "text.csv").string() + ":2");
  const SoundData asked = read("text.csv", {.list = {.target = SoundTarget::kNone}});
  EXPECT_EQ(asked.examples.size(), 1U);
}

TEST_F(Sounds, WhatCannotBeReadIsSaid) {
  add("a.wav");
  add("long.wav", 64'000);
  test::spill(folder_ / "bad.wav", "no sound");
  test::spill(folder_ / "list.csv",
              "file,label\na.wav,x\nbad.wav,y\ngone.wav,y\nlong.wav,y\na.wav,\na.wav,y\n");
  read("list.csv", {.max_seconds = 2});
  EXPECT_EQ(report_.count(ProblemKind::kMalformedRow), 3);
  EXPECT_EQ(report_.count(ProblemKind::kMissingLabel), 1);
  EXPECT_THAT(report_.text(), HasSubstr("list.csv:3: "));
  EXPECT_THAT(report_.text(), HasSubstr("bad.wav: expected a sound"));
  EXPECT_THAT(report_.text(), HasSubstr("list.csv:4: "));
  EXPECT_THAT(report_.text(), HasSubstr("too long: expected at most 2 seconds, found 4.0"));
  const SoundData data =
      read("list.csv", {.list = {.table = {.skip_bad = true}}, .max_seconds = 2});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.left_out, 4);
  EXPECT_EQ(data.examples.size(), 2U);
}

TEST_F(Sounds, ClassesThatLookAlikeAreSaid) {
  add("a.wav");
  test::spill(folder_ / "list.csv", "label,file\nyes,a.wav\nYes,a.wav\n");
  EXPECT_EQ(read("list.csv").labels.size(), 2U);
  EXPECT_THAT(report_.text(), HasSubstr("list.csv:3: \"Yes\" looks like \"yes\""));
  add("set/yes/1.wav");
  add("set/Yes/2.wav");
  read("set");
  EXPECT_EQ(report_.count(ProblemKind::kLookAlike), 1);
}

TEST_F(Sounds, ClassesOfAModelAreKept) {
  add("a.wav");
  test::spill(folder_ / "list.csv", "file,label\na.wav,x\na.wav,new\n");
  const SoundData data = read("list.csv", {.label_names = {"z", "x"}});
  EXPECT_EQ(report_.count(ProblemKind::kUnknownLabel), 1);
  EXPECT_THAT(report_.text(), HasSubstr("list.csv:3"));
  EXPECT_THAT(data.labels, ElementsAre("z", "x"));
  EXPECT_EQ(data.examples.at(0).label, 1);
}

TEST_F(Sounds, WhatSaysNothingIsRefused) {
  add("a.wav");
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_THROW(read("a.wav"), UsageError);
  EXPECT_THROW(read("empty", {.list = {.target = SoundTarget::kText}}), UsageError);
  read("empty");
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
  EXPECT_THROW(read("gone"), MissingInputError);
  test::spill(folder_ / "one.csv", "file,what\na.wav,x\n");
  EXPECT_THROW(read("one.csv"), UsageError);
  EXPECT_EQ(read("one.csv", {.list = {.target_column = "what"}}).examples.size(), 1U);
  EXPECT_EQ(read("a.wav", {.list = {.target = SoundTarget::kNone}}).examples.size(), 1U);
}

}  // namespace
}  // namespace heed::data
