#include "heed/cli/task_kind.h"

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/common.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/published/published.h"

namespace heed::cli {

std::set<std::string> OptionSets::names_of(const Options& command) {
  std::set<std::string> names;
  for (const OptionInfo& option : command.all()) {
    if (!option.positional) names.insert(option.setting_name());
  }
  return names;
}

bool OptionSets::has(const std::string& name) const {
  return std::any_of(sets_.begin(), sets_.end(),
                     [&](const auto& each) { return each.second.names.count(name) > 0; });
}

void AnyTask::add_model(Options& command) {
  command.add("model", directory_, "Directory of a trained model").required();
}

void AnyTask::add_options(Options& command, Use use, const std::vector<TaskKind>& kinds) {
  command_ = &command;
  for (const TaskKind& kind : kinds) {
    TaskOptions options(sets_, command);
    TaskLoader load = kind.define(options, use);
    all_.push_back({&kind, std::move(options), std::move(load)});
  }
}

const AnyTask::Defined& AnyTask::defined() const {
  const std::string type = models::model_type_of(directory_);
  std::vector<std::string> known;
  bool knows_published = false;
  for (const Defined& each : all_) {
    knows_published = knows_published || each.kind->purpose.has_value();
    if (each.kind->model_type.empty()) continue;
    if (type == each.kind->model_type) return each;
    known.push_back('"' + each.kind->model_type + '"');
  }
  if (knows_published && models::is_published(directory_)) return published();
  const std::string expected =
      known.empty() ? "that of a published model" : "one of " + joined(known);
  throw DataError((std::filesystem::path(directory_) / "config.json").string(),
                  text_of("field 'model_type': expected ", expected, ", found \"", type, '"'));
}

const AnyTask::Defined& AnyTask::published() const {
  const models::published::Purpose purpose = models::published::purpose_in(directory_);
  std::vector<std::string> known;
  for (const Defined& each : all_) {
    if (!each.kind->purpose) continue;
    if (purpose == *each.kind->purpose) return each;
    known.emplace_back(models::published::name_of(*each.kind->purpose));
  }
  throw DataError((std::filesystem::path(directory_) / "config.json").string(),
                  text_of("field 'architectures': expected a model for one of ", joined(known),
                          ", found one for ", models::published::name_of(purpose)));
}

const TaskKind& AnyTask::kind() const { return *defined().kind; }

std::unique_ptr<TaskAdapter> AnyTask::load() const {
  const Defined& task = defined();
  for (const std::string& name : command_->given()) {
    check_usage(!sets_.has(name) || task.options.knows(name), "--", name,
                ": has no meaning for a model of the task '", task.kind->name, "'");
  }
  return task.load(directory_);
}

}  // namespace heed::cli
