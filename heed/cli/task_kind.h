// The tasks that `heed eval`, `predict`, `attend` and `inspect` know, and their options.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "heed/cli/options/options.h"
#include "heed/cli/task_adapter.h"
#include "heed/models/published/purpose.h"

namespace heed::cli {

enum class Use : uint8_t { kEval, kPredict, kAttend, kInspect, kDoctor };

// Options of a command, in sets: structs with default values and a function add_to(Options&), such
// as ReadingOptions. A set that several tasks ask for is there once.
class OptionSets {
 public:
  // The one of this type; adds its options to `command` where it is new.
  template <typename Set>
  Set& get(Options& command) {
    Entry& entry = sets_[typeid(Set)];
    if (!entry.set) {
      auto made = std::make_shared<Set>();
      const std::set<std::string> before = names_of(command);
      made->add_to(command);
      for (const std::string& name : names_of(command)) {
        if (before.count(name) == 0) entry.names.insert(name);
      }
      entry.set = std::move(made);
    }
    return *static_cast<Set*>(entry.set.get());
  }

  // Null where nobody asked for it.
  template <typename Set>
  const Set* find() const {
    const auto found = sets_.find(typeid(Set));
    return found == sets_.end() ? nullptr : static_cast<const Set*>(found->second.set.get());
  }

  template <typename Set>
  const std::set<std::string>& names() const {
    return sets_.at(typeid(Set)).names;
  }

  // Whether an option of this long name belongs to a set.
  bool has(const std::string& name) const;

 private:
  struct Entry {
    std::shared_ptr<void> set;
    std::set<std::string> names;
  };
  static std::set<std::string> names_of(const Options& command);

  std::map<std::type_index, Entry> sets_;
};

// What one task declares of a command.
class TaskOptions {
 public:
  TaskOptions(OptionSets& sets, Options& command) : sets_(sets), command_(command) {}

  // The options of a set; `only`: the long names of those that mean something for this task, all
  // of them where it is empty. The result lives as long as the command, and has what was given once
  // the command line is parsed.
  template <typename Set>
  const Set& use(const std::vector<std::string>& only = {}) {
    const Set& set = sets_.get<Set>(command_);
    for (const std::string& name : sets_.names<Set>()) {
      if (only.empty() || std::find(only.begin(), only.end(), name) != only.end()) {
        known_.insert(name);
      }
    }
    return set;
  }

  bool knows(const std::string& name) const { return known_.count(name) > 0; }

 private:
  OptionSets& sets_;
  Options& command_;
  std::set<std::string> known_;
};

// Loads a model with the options that were given. Throws MissingInputError or DataError as the
// loaders of heed/models do, UsageError for an option that cannot be used.
using TaskLoader = std::function<std::unique_ptr<TaskAdapter>(const std::filesystem::path&)>;

// One that makes an Adapter of what `load` finds in the directory and of the options `given`, which
// are looked at first: what cannot be used is said before a model is loaded.
template <typename Adapter, typename Given, typename Load>
TaskLoader loader_of(Given given, Load load) {
  return [given, load](const std::filesystem::path& directory) -> std::unique_ptr<TaskAdapter> {
    auto options = given();
    options.check();
    return std::make_unique<Adapter>(load(directory), std::move(options));
  };
}

struct TaskKind {
  std::string model_type = {};  // of config.json: "heed_text_classifier"; empty: published models
                                // alone
  std::string name = {};        // of the task: "classify"

  // Declares the options of its own that a command with this use has, and returns what loads.
  TaskLoader (*define)(TaskOptions& options, Use use);

  // Of the published models that do it (heed/models/published); none: they do not.
  std::optional<models::published::Purpose> purpose = {};

  // What `heed attend --part` may name, the usual one first; empty: there is but one attention.
  std::vector<std::string> attention_parts = {};
};

// All of them (tasks/task_kinds.cpp).
const std::vector<TaskKind>& task_kinds();

// The model of a command that takes one of any task: its directory, and the options that its task
// declares.
class AnyTask {
 public:
  // The positional option "model", which is the first one. This outlives `command`.
  void add_model(Options& command);

  // A model that another option names: its directory.
  void choose(std::string directory) { directory_ = std::move(directory); }

  // The options of all tasks.
  void add_options(Options& command, Use use, const std::vector<TaskKind>& kinds = task_kinds());

  const std::string& directory() const { return directory_; }

  // Whether some task declares an option of this long name.
  bool declares(const std::string& name) const { return sets_.has(name); }

  // That of the model in the directory. Throws MissingInputError or DataError.
  const TaskKind& kind() const;

  // Throws UsageError for an option that its task does not know, and as TaskLoader does.
  std::unique_ptr<TaskAdapter> load() const;

  // A set of options that a task asked for; null: none did.
  template <typename Set>
  const Set* find() const {
    return sets_.find<Set>();
  }

 private:
  struct Defined {
    const TaskKind* kind;
    TaskOptions options;
    TaskLoader load;
  };
  const Defined& defined() const;
  const Defined& published() const;  // by the purpose of the model

  std::string directory_;
  const Options* command_ = nullptr;
  OptionSets sets_;
  std::vector<Defined> all_;
};

}  // namespace heed::cli
