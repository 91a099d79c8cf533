#include "heed/cli/task_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::cli {
namespace {

struct Shared {
  int64_t size = 3;
  std::string name = "none";

  void add_to(Options& options) {
    options.add("--size", size, "A size");
    options.add("--name", name, "A name");
  }
};

struct Own {
  bool loud = false;

  void add_to(Options& options) { options.flag("--loud", loud, "Whether"); }
};

// Says what it was made with.
struct Chosen {
  int64_t size = 0;
  bool loud = false;

  void check() const { check_usage(size < 100, "--size: expected less than 100"); }
};

class Echo final : public TaskAdapter {
 public:
  Echo(std::string directory, Chosen chosen) : directory_(std::move(directory)), chosen_(chosen) {}

  OrderedJson description() const override {
    return {{"size", chosen_.size}, {"loud", chosen_.loud}};
  }
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& /*progress*/) const override {
    return {.metrics = {{"files", static_cast<double>(files.size())}}};
  }
  void predict(const std::string& file, AnswerWriter& answers) const override {
    answers.add(file, {}, {.line = directory_});
  }
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    return {.title = argument + request.part};
  }

 private:
  std::string directory_;
  Chosen chosen_;
};

std::string name_of(const std::filesystem::path& directory) {
  return directory.filename().string();
}

TaskLoader define_quiet(TaskOptions& options, Use /*use*/) {
  const auto given = [&shared = options.use<Shared>({"size"})] {
    return Chosen{.size = shared.size};
  };
  return loader_of<Echo>(given, name_of);
}

TaskLoader define_loud(TaskOptions& options, Use use) {
  std::function<Chosen()> given = [&shared = options.use<Shared>()] {
    return Chosen{.size = shared.size};
  };
  if (use == Use::kEval) {
    given = [&own = options.use<Own>()] { return Chosen{.loud = own.loud}; };
  }
  return loader_of<Echo>(given, name_of);
}

const std::vector<TaskKind>& kinds() {
  static const std::vector<TaskKind> all = {
      {.model_type = "quiet_model", .name = "quiet", .define = define_quiet},
      {.model_type = "loud_model", .name = "loud", .define = define_loud},
  };
  return all;
}

class AnyTaskTest : public testing::Test {
 protected:
  AnyTaskTest() {
    for (const char* type : {"quiet_model", "loud_model", "other"}) {
      std::filesystem::create_directory(folder_ / type);
      std::ofstream(folder_ / type / "config.json") << R"({"model_type": ")" << type << "\"}";
    }
  }

  std::unique_ptr<TaskAdapter> load(const std::string& type, std::vector<std::string> words,
                                    Use use = Use::kPredict) {
    Options options("heed any", "A command");
    AnyTask task;
    task.add_model(options);
    task.add_options(options, use, kinds());
    int64_t own = 0;
    options.add("--threads", own, "Of the command itself");
    options.finish();
    words.push_back((folder_ / type).string());
    options.parse(std::move(words));
    return task.load();
  }

  std::string refusal(const std::string& type, const std::vector<std::string>& words,
                      Use use = Use::kPredict) {
    try {
      load(type, words, use);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::Folder folder_;
};

TEST_F(AnyTaskTest, AnOptionOfSeveralTasksIsOneOfTheCommand) {
  EXPECT_EQ(load("quiet_model", {"--size", "7"})->description().at("size"), 7);
  EXPECT_EQ(load("loud_model", {"--size", "7", "--name", "x"})->description().at("size"), 7);
  EXPECT_EQ(load("loud_model", {})->description().at("size"), 3);
}

TEST_F(AnyTaskTest, OptionsOfAnotherTaskAreRefused) {
  EXPECT_THAT(refusal("quiet_model", {"--name", "x"}),
              testing::HasSubstr("--name: has no meaning for a model of the task 'quiet'"));
  EXPECT_THAT(refusal("quiet_model", {"--loud"}, Use::kEval), testing::HasSubstr("--loud"));
  EXPECT_EQ(refusal("quiet_model", {"--name", "none"}), "");  // what it is anyway
  EXPECT_EQ(refusal("quiet_model", {"--threads", "2"}), "");  // of the command itself
  EXPECT_TRUE(load("loud_model", {"--loud"}, Use::kEval)->description().at("loud").get<bool>());
}

TEST_F(AnyTaskTest, OptionsAreCheckedBeforeTheModelIsLoaded) {
  EXPECT_THAT(refusal("quiet_model", {"--size", "100"}), testing::HasSubstr("less than 100"));
}

TEST_F(AnyTaskTest, AnotherModelIsRefusedByItsType) {
  EXPECT_THAT(refusal("other", {}), testing::HasSubstr("expected one of \"quiet_model\", "
                                                       "\"loud_model\", found \"other\""));
  EXPECT_THAT(refusal("missing", {}), testing::HasSubstr("missing"));
}

TEST(TaskKinds, HaveNamesAndTypesOfTheirOwn) {
  std::set<std::string> types;
  for (const TaskKind& kind : task_kinds()) {
    if (kind.model_type.empty()) {
      EXPECT_TRUE(kind.purpose.has_value()) << kind.name;
    } else {
      EXPECT_TRUE(types.insert(kind.model_type).second) << kind.model_type;
    }
    EXPECT_FALSE(kind.name.empty());
  }
}

// Options of different tasks may share a name only where they share a set.
TEST(TaskKinds, DeclareOptionsThatFitTogether) {
  for (const Use use : {Use::kEval, Use::kPredict, Use::kAttend, Use::kInspect}) {
    Options options("heed any", "A command");
    AnyTask task;
    task.add_model(options);
    EXPECT_NO_THROW(task.add_options(options, use));
  }
}

}  // namespace
}  // namespace heed::cli
