#include "heed/io/atomic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

namespace fs = std::filesystem;
using test::Folder;
using test::message_of;
using test::slurp;
using test::spill;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void save_file(const fs::path& target, std::string_view content) {
  AtomicFile file(target);
  file.write(content);
  file.commit();
}

void save_directory(const fs::path& target, std::string_view content) {
  AtomicDirectory directory(target, {"a", "b"});
  directory.write("a", content);
  directory.commit();
}

TEST(AtomicFile, WritesAndReplaces) {
  const Folder folder;
  save_file(folder / "deep/er/file", "one");
  EXPECT_EQ(slurp(folder / "deep/er/file"), "one");
  save_file(folder / "deep/er/file", "two");
  EXPECT_EQ(slurp(folder / "deep/er/file"), "two");
  EXPECT_THAT(names_in(folder / "deep/er"), ElementsAre("file"));
}

TEST(AtomicFile, WithoutCommitNothingHappens) {
  const Folder folder;
  save_file(folder / "file", "one");
  {
    AtomicFile file(folder / "file");
    file.write("two");
    EXPECT_EQ(names_in(folder.path()).size(), 2u);
    EXPECT_EQ(slurp(folder / "file"), "one");
  }
  EXPECT_EQ(slurp(folder / "file"), "one");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("file"));
}

TEST(AtomicFile, FollowsALinkAndKeepsThePermissions) {
  const Folder folder;
  fs::create_directory(folder / "far");
  spill(folder / "far/real", "one");
  ::chmod((folder / "far/real").c_str(), 0600);
  fs::create_symlink("far/real", folder / "link");
  save_file(folder / "link", "two");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "far/real"), "two");
  struct stat status;
  ASSERT_EQ(::stat((folder / "far/real").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(AtomicFile, RefusesADirectoryAndAFileOnTheWay) {
  const Folder folder;
  EXPECT_THAT(message_of<UsageError>([&] { AtomicFile file(folder.path()); }),
              HasSubstr(": is a directory, expected a file name"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of<UsageError>([&] { AtomicFile file(folder / "pipe"); }),
              HasSubstr(": is a device or a pipe"));
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  EXPECT_THROW(AtomicFile(""), UsageError);
  EXPECT_THROW(AtomicFile("/"), UsageError);
  spill(folder / "file", "");
  EXPECT_THROW(AtomicFile(folder / "file/below"), IoError);
  EXPECT_THROW(AtomicFile("/proc/none/file"), IoError);
}

TEST(AtomicFile, IsUsedInOrder) {
  const Folder folder;
  AtomicFile file(folder / "file");
  file.commit();
  EXPECT_THROW(file.commit(), UsageError);
  EXPECT_THROW(file.write("late"), UsageError);
  EXPECT_EQ(slurp(folder / "file"), "");
}

// A reader always finds one version, whole.
TEST(AtomicFile, ReadersNeverSeeAPart) {
  const Folder folder;
  const auto content = [](int i) {
    return std::string(static_cast<size_t>(20000 + i), 'a' + i % 26);
  };
  save_file(folder / "file", content(0));
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const std::string found = slurp(folder / "file");
      ASSERT_GE(found.size(), 20000u);
      EXPECT_EQ(found, content(static_cast<int>(found.size()) - 20000));
    }
  });
  for (int i = 0; i < 100; ++i) save_file(folder / "file", content(i));
  done = true;
  reader.join();
}

TEST(AtomicFile, ManySaversAtOnceLeaveOneWholeVersion) {
  const Folder folder;
  std::vector<std::thread> savers;
  for (int s = 0; s < 4; ++s) {
    savers.emplace_back([&, s] {
      for (int i = 0; i < 25; ++i) save_file(folder / "file", std::string(5000, 'a' + s));
    });
  }
  for (std::thread& saver : savers) saver.join();
  const std::string found = slurp(folder / "file");
  EXPECT_EQ(found, std::string(5000, found.at(0)));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("file"));
}

TEST(AtomicDirectory, WritesAndReplaces) {
  const Folder folder;
  save_directory(folder / "runs/model", "one");
  EXPECT_EQ(slurp(folder / "runs/model/a"), "one");
  {
    AtomicDirectory directory(folder / "runs/model/", {"a", "b"});
    directory.write("b", "two");
    directory.commit();
  }
  EXPECT_THAT(names_in(folder / "runs"), ElementsAre("model"));
  EXPECT_THAT(names_in(folder / "runs/model"), ElementsAre("b"));
  EXPECT_EQ(slurp(folder / "runs/model/b"), "two");
}

TEST(AtomicDirectory, WithoutCommitNothingHappens) {
  const Folder folder;
  {
    AtomicDirectory directory(folder / "model", {"a"});
    directory.write("a", "one");
    EXPECT_FALSE(fs::exists(folder / "model"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(AtomicDirectory, NeverRemovesWhatIsNotAModel) {
  const Folder folder;
  fs::create_directory(folder / "home");
  spill(folder / "home/a", "model-like");
  spill(folder / "home/thesis.tex", "years of work");
  const auto save = [&] { save_directory(folder / "home", "x"); };
  EXPECT_EQ(
      message_of<UsageError>(save),
      (folder / "home").string() +
          ": holds \"thesis.tex\", which saving would remove; choose another directory or move "
          "it away");
  EXPECT_THROW(check_replaceable(folder / "home", {"a", "b"}), UsageError);
  EXPECT_THAT(names_in(folder / "home"), ElementsAre("a", "thesis.tex"));
  fs::remove(folder / "home/thesis.tex");
  EXPECT_NO_THROW(check_replaceable(folder / "home", {"a", "b"}));
  EXPECT_NO_THROW(save());
}

TEST(AtomicDirectory, KeepsWhatWasAddedMeanwhile) {
  const Folder folder;
  save_directory(folder / "model", "one");
  AtomicDirectory directory(folder / "model", {"a", "b"});
  directory.write("a", "two");
  spill(folder / "model/notes.txt", "mine");
  fs::create_directory(folder / "model/sub");
  spill(folder / "model/sub/x", "deep");
  directory.commit();
  EXPECT_THAT(names_in(folder / "model"), ElementsAre("a", "notes.txt", "sub"));
  EXPECT_EQ(slurp(folder / "model/a"), "two");
  EXPECT_EQ(slurp(folder / "model/notes.txt"), "mine");
  EXPECT_EQ(slurp(folder / "model/sub/x"), "deep");
}

TEST(AtomicDirectory, RefusesWhatCannotBeReplaced) {
  const Folder folder;
  spill(folder / "file", "x");
  EXPECT_THAT(message_of<UsageError>([&] { check_replaceable(folder / "file", {}); }),
              HasSubstr("is a file, expected the name of a directory"));
  EXPECT_THROW(AtomicDirectory(folder / "file", {}), UsageError);
  EXPECT_THROW(AtomicDirectory("/", {}), UsageError);
  EXPECT_THAT(message_of<UsageError>([&] { check_replaceable("/proc", {}); }),
              HasSubstr("is a mount point"));
  EXPECT_NO_THROW(check_replaceable(folder / "new/and/deep", {}));
  EXPECT_FALSE(fs::exists(folder / "new")) << "a check creates nothing";
  EXPECT_THROW(check_replaceable("/proc/sys/new", {}), IoError);
}

TEST(AtomicDirectory, TakesOnlyPlainFileNames) {
  const Folder folder;
  AtomicDirectory directory(folder / "model", {});
  for (const std::string name : {"", ".", "..", "a/b/c", "../a", "/a", "a/"}) {
    EXPECT_THROW(directory.create(name), UsageError) << name;
  }
  EXPECT_THROW(directory.create(std::string_view("a\0b", 3)), UsageError);
  directory.write("a", "");
  EXPECT_THROW(directory.create("a"), IoError);
  directory.commit();
  EXPECT_THROW(directory.commit(), UsageError);
  EXPECT_THROW(directory.create("b"), UsageError);
}

TEST(AtomicDirectory, HasFoldersForItsFiles) {
  const Folder folder;
  for (const std::string text : {"one", "two"}) {
    AtomicDirectory directory(folder / "model", {"a", "sub"});
    directory.write("a", text);
    directory.write("sub/b", text);
    directory.write("sub/c", text);
    directory.commit();
    EXPECT_EQ(slurp(folder / "model/sub/b"), text);
    EXPECT_EQ(slurp(folder / "model/sub/c"), text);
  }
  EXPECT_THROW(check_replaceable(folder / "model", {"a"}), UsageError);
}

TEST(AtomicDirectory, TheCurrentDirectoryAndLinksWork) {
  const Folder folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink("real", folder / "link");
  save_directory(folder / "link", "one");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "real/a"), "one");
  const fs::path before = fs::current_path();
  fs::current_path(folder / "real");
  save_directory(".", "two");
  fs::current_path(before);
  EXPECT_EQ(slurp(folder / "real/a"), "two");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("link", "real"));
}

TEST(Leftovers, OfOthersAndOfRunningSavesStay) {
  const Folder folder;
  AtomicDirectory running(folder / "model", {"a"});
  running.write("a", "running");
  fs::create_directory(folder / ".model.heed-new-0123abcd");  // of a killed run
  spill(folder / ".model.heed-new-0123abcd/a", "half");
  fs::create_directory(folder / ".model.heed-new-0123abcd/sub");
  spill(folder / ".model.heed-old-99999999", "old");
  fs::create_directory(folder / ".other.heed-new-0123abcd");
  fs::create_directory(folder / ".model.heed-new-short");
  fs::create_directory(folder / "model.heed-new-0123abcd");
  save_directory(folder / "model", "second");
  const std::vector<std::string> names = names_in(folder.path());
  EXPECT_EQ(names.size(), 5u);
  EXPECT_THAT(names, testing::IsSupersetOf({".model.heed-new-short", ".other.heed-new-0123abcd",
                                            "model", "model.heed-new-0123abcd"}));
  running.commit();
  EXPECT_EQ(slurp(folder / "model/a"), "running");
}

TEST(Leftovers, HaveNamesThatNoModelHas) {
  EXPECT_TRUE(is_temporary_name(".model.heed-new-0123abcd"));
  EXPECT_TRUE(is_temporary_name(".model.heed-old-0123abcd"));
  for (const char* name : {"", ".", "model", ".model", "model.heed-new-0123abcd", "0123abcd",
                           ".model.heed-new-0123abc", ".model.heed-new-0123abcg",
                           ".model.heed-mid-0123abcd", ".model.heed-new-0123ABCD"}) {
    EXPECT_FALSE(is_temporary_name(name)) << name;
  }
  const Folder folder;
  AtomicDirectory directory(folder / "model", {});
  AtomicFile file(folder / "file");
  EXPECT_EQ(names_in(folder.path()).size(), 2u);
  for (const std::string& name : names_in(folder.path())) EXPECT_TRUE(is_temporary_name(name));
}

TEST(Recover, PutsTheOldVersionBackOnlyIfThereIsNone) {
  const Folder folder;
  EXPECT_NO_THROW(recover(folder / "model"));
  fs::create_directory(folder / ".model.heed-old-01234567");
  spill(folder / ".model.heed-old-01234567/a", "old");
  recover(folder / "model");
  EXPECT_EQ(slurp(folder / "model/a"), "old");
  fs::create_directory(folder / ".model.heed-old-01234567");
  recover(folder / "model");
  EXPECT_EQ(slurp(folder / "model/a"), "old");
}

}  // namespace
}  // namespace heed
