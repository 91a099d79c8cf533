// Every system call of a save fails once, fails for ever, and is the last thing that the process
// does: the version before or the new one is there afterwards, whole.
// ctest-timeout: 600

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/testing/faulty_calls.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

namespace fs = std::filesystem;
using test::FaultyCalls;
using test::Folder;
using test::slurp;
using test::spill;
using testing::HasSubstr;
using Plan = FaultyCalls::Plan;
using Fault = FaultyCalls::Fault;

// A file or a directory as the names and contents in it; nothing if it is not there.
using Version = std::optional<std::map<std::string, std::string>>;

Version version_at(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  std::map<std::string, std::string> files;
  if (!fs::is_directory(path)) return std::map<std::string, std::string>{{"", slurp(path)}};
  for (const auto& entry : fs::directory_iterator(path)) {
    files[entry.path().filename().string()] = slurp(entry.path());
  }
  return files;
}

// What is saved: a directory or a file, at "deep/model".
struct Kind {
  std::string name;
  Version before;
  Version after;
  std::function<void(const fs::path&)> prepare;
  std::function<void(const fs::path&, SystemCalls&)> save;
};

const std::string kLong = std::string(1000, 'x') + "end";

Kind directory_kind() {
  return {.name = "directory",
          .before = {{{"config.json", "{}"}, {"weights", "old"}, {"gone", "only in the old one"}}},
          .after = {{{"config.json", "{1}"}, {"weights", kLong}}},
          .prepare =
              [](const fs::path& target) {
                fs::create_directories(target);
                spill(target / "config.json", "{}");
                spill(target / "weights", "old");
                spill(target / "gone", "only in the old one");
              },
          .save =
              [](const fs::path& target, SystemCalls& calls) {
                AtomicDirectory directory(target, {"config.json", "weights", "gone"}, calls);
                directory.write("config.json", "{1}");
                OutputFile file = directory.create("weights");
                file.write(kLong.substr(0, 500));
                file.write(kLong.substr(500));
                file.finish();
                directory.commit();
              }};
}

Kind file_kind() {
  return {.name = "file",
          .before = {{{"", "old"}}},
          .after = {{{"", kLong}}},
          .prepare =
              [](const fs::path& target) {
                fs::create_directories(target.parent_path());
                spill(target, "old");
              },
          .save =
              [](const fs::path& target, SystemCalls& calls) {
                AtomicFile file(target, calls);
                file.write(kLong.substr(0, 500));
                file.write(kLong.substr(500));
                file.commit();
              }};
}

// The next save succeeds and leaves nothing but its own version behind.
void expect_healed(const Kind& kind, const fs::path& target, bool has_exchange) {
  FaultyCalls calls({.has_exchange = has_exchange});
  ASSERT_NO_THROW(kind.save(target, calls));
  EXPECT_EQ(version_at(target), kind.after);
  for (const auto& entry : fs::directory_iterator(target.parent_path())) {
    EXPECT_EQ(entry.path(), target) << "left behind";
  }
}

struct Case {
  Kind kind;
  bool has_before;
  bool has_exchange;

  Version before() const { return has_before ? kind.before : std::nullopt; }
  std::string text(const Plan& plan) const {
    return text_of(kind.name, has_before ? " over an old one" : " anew",
                   has_exchange ? "" : " without exchange", ", call ", plan.at, ": ",
                   std::strerror(plan.error));
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Kind& kind : {directory_kind(), file_kind()}) {
    for (const bool has_before : {true, false}) {
      for (const bool has_exchange : {true, false}) all.push_back({kind, has_before, has_exchange});
    }
  }
  return all;
}

// Calls `run` with the plan for the first call, the second and so on until `run` says that there
// was no such call; returns how many there were.
int for_each_call(const std::function<bool(int at)>& run) {
  int at = 0;
  while (run(at)) ++at;
  return at;
}

// Saves with this plan; the error message, empty if it worked.
std::string save_text(const Case& c, const fs::path& target, FaultyCalls& calls) {
  try {
    c.kind.save(target, calls);
    return "";
  } catch (const IoError& error) {
    return error.what();
  }
}

TEST(AtomicFaults, OneFailureLeavesTheOldVersionOrTheNew) {
  for (const Case& c : cases()) {
    for (const int error : {ENOSPC, EIO}) {
      int refused = 0;
      const int calls_made = for_each_call([&](int at) {
        const Plan plan{.at = at, .error = error, .has_exchange = c.has_exchange};
        SCOPED_TRACE(c.text(plan));
        const Folder folder;
        const fs::path target = folder / "deep/model";
        if (c.has_before) c.kind.prepare(target);
        FaultyCalls calls(plan);
        const std::string message = save_text(c, target, calls);
        if (message.empty()) {
          EXPECT_EQ(version_at(target), c.kind.after);
          // Cleaning up, locking and closing may fail; these never go unsaid.
          EXPECT_THAT(calls.failed_call(),
                      testing::AnyOf("", "open", "close", "lock", "unlink", "rmdir"));
        } else {
          ++refused;
          EXPECT_THAT(message, HasSubstr("deep"));
          EXPECT_THAT(message, HasSubstr(std::strerror(error)));
          EXPECT_EQ(message.find('\n'), std::string::npos);
          EXPECT_THAT(message, testing::Not(HasSubstr("heed-new")));
          // Only a file on a file system that cannot exchange has no way back, and says so.
          const bool no_way_back = message.find("the new version is in place") != std::string::npos;
          EXPECT_TRUE(!no_way_back || (c.kind.name == "file" && !c.has_exchange && c.has_before));
          EXPECT_EQ(version_at(target), no_way_back ? c.kind.after : c.before());
        }
        if (fs::exists(target.parent_path())) expect_healed(c.kind, target, c.has_exchange);
        return calls.has_failed();
      });
      // Opening, writing, flushing, renaming: each of them reached, and most of them fatal.
      EXPECT_GE(calls_made, 9) << c.kind.name;
      EXPECT_GE(refused, 6) << c.kind.name;
    }
  }
}

// Any two failures, so that the way back fails as well.
TEST(AtomicFaults, TwoFailuresNeverCostTheOldVersion) {
  for (const Case& c : cases()) {
    if (!c.has_before) continue;
    for_each_call([&](int at) {
      for_each_call([&](int after) {
        const Plan plan{.at = at, .later = at + 1 + after, .has_exchange = c.has_exchange};
        SCOPED_TRACE(c.text(plan) + text_of(" and call ", plan.later));
        const Folder folder;
        const fs::path target = folder / "deep/model";
        c.kind.prepare(target);
        FaultyCalls calls(plan);
        const std::string message = save_text(c, target, calls);
        if (message.empty()) {
          EXPECT_EQ(version_at(target), c.kind.after);
        } else if (message.find("the new version is in place") == std::string::npos) {
          bool is_there = false;  // in place or beside it
          for (const auto& entry : fs::directory_iterator(target.parent_path())) {
            is_there = is_there || version_at(entry.path()) == c.kind.before;
          }
          EXPECT_TRUE(is_there) << message;
        }
        recover(target);
        const Version found = version_at(target);
        EXPECT_TRUE(found == c.kind.before || found == c.kind.after);
        return calls.has_failed_later();
      });
      FaultyCalls once({.at = at, .has_exchange = c.has_exchange});
      const Folder folder;
      c.kind.prepare(folder / "model");
      save_text(c, folder / "model", once);
      return once.has_failed();
    });
  }
}

TEST(AtomicFaults, ADiskThatIsGoneLeavesAWholeVersion) {
  for (const Case& c : cases()) {
    for_each_call([&](int at) {
      const Plan plan{.at = at, .fault = Fault::kForever, .has_exchange = c.has_exchange};
      SCOPED_TRACE(c.text(plan));
      const Folder folder;
      const fs::path target = folder / "deep/model";
      if (c.has_before) c.kind.prepare(target);
      FaultyCalls calls(plan);
      save_text(c, target, calls);
      recover(target);
      const Version found = version_at(target);
      EXPECT_TRUE(found == c.before() || found == c.kind.after);
      if (fs::exists(target.parent_path())) expect_healed(c.kind, target, c.has_exchange);
      return calls.has_failed();
    });
  }
}

// Runs `body` in a process of its own; true if it was killed.
bool is_killed(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(AtomicFaults, AKilledRunLeavesAWholeVersion) {
  int aside = 0;  // how often the old version had to be put back
  for (const Case& c : cases()) {
    const int calls_made = for_each_call([&](int at) {
      const Plan plan{.at = at, .fault = Fault::kKill, .has_exchange = c.has_exchange};
      SCOPED_TRACE(c.text(plan));
      const Folder folder;
      const fs::path target = folder / "deep/model";
      if (c.has_before) c.kind.prepare(target);
      const bool killed = is_killed([&] {
        FaultyCalls calls(plan);
        c.kind.save(target, calls);
      });
      if (c.has_before && !fs::exists(target)) ++aside;
      recover(target);
      const Version found = version_at(target);
      EXPECT_TRUE(found == c.before() || found == c.kind.after);
      EXPECT_TRUE(killed || found == c.kind.after);
      if (fs::exists(target.parent_path())) expect_healed(c.kind, target, c.has_exchange);
      return killed;
    });
    EXPECT_GE(calls_made, 9) << c.kind.name;
  }
  EXPECT_EQ(aside, 1) << "only between the two renames of a directory without exchange";
}

// The next save puts back what a killed one moved aside, even if nobody asked to recover; if that
// save then fails too, the old version is there.
TEST(AtomicFaults, TheNextSaveRecoversFirst) {
  const Kind kind = directory_kind();
  const int calls_made = for_each_call([&](int at) {
    const Folder folder;
    const fs::path target = folder / "deep/model";
    kind.prepare(target);
    const bool killed = is_killed([&] {
      FaultyCalls calls({.at = at, .fault = Fault::kKill, .has_exchange = false});
      kind.save(target, calls);
    });
    { const AtomicDirectory unfinished(target, {"config.json", "weights", "gone"}); }
    const Version found = version_at(target);
    EXPECT_TRUE(found == kind.before || found == kind.after) << at;
    return killed;
  });
  EXPECT_GE(calls_made, 15);
}

// Misfortunes in a row: a run is killed while the only version stands aside, the next save cannot
// put it back, and then fails itself. Cleaning up must not take the only version for a leftover.
TEST(AtomicFaults, TheOnlyVersionIsNeverALeftover) {
  const Kind kind = directory_kind();
  int refused = 0;
  for (int at = 0; at < 10; ++at) {
    for_each_call([&](int after) {
      SCOPED_TRACE(text_of("calls ", at, " and ", at + 1 + after));
      const Folder folder;
      const fs::path target = folder / "model";
      kind.prepare(target);
      fs::rename(target, folder / ".model.heed-old-01234567");
      FaultyCalls calls({.at = at, .later = at + 1 + after, .has_exchange = false});
      try {
        kind.save(target, calls);
      } catch (const IoError&) {
        ++refused;
      }
      recover(target);
      const Version found = version_at(target);
      EXPECT_TRUE(found == kind.before || found == kind.after);
      return calls.has_failed_later();
    });
  }
  EXPECT_GT(refused, 50);
}

TEST(AtomicFaults, ShortAndInterruptedCallsChangeNothing) {
  for (const Case& c : cases()) {
    for (const size_t most : {size_t{1}, size_t{7}, size_t{999}}) {
      const Folder folder;
      const fs::path target = folder / "deep/model";
      if (c.has_before) c.kind.prepare(target);
      FaultyCalls calls(
          {.has_exchange = c.has_exchange, .most_per_write = most, .interrupts = true});
      c.kind.save(target, calls);
      EXPECT_EQ(version_at(target), c.kind.after);
    }
  }
}

TEST(AtomicFaults, AWriteThatTakesNothingEnds) {
  const Folder folder;
  FaultyCalls calls({.most_per_write = 0});
  EXPECT_THAT(test::message_of<IoError>([&] { file_kind().save(folder / "model", calls); }),
              HasSubstr("model: writing failed: No space left on device; free some space"));
  EXPECT_FALSE(fs::exists(folder / "model"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace heed
