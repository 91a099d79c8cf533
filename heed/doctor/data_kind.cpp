#include "heed/doctor/data_kind.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::doctor {
namespace {

const DataKind& kind_of(const std::vector<DataKind>& kinds, const DataToCheck& data,
                        std::string_view task) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const DataKind& kind) {
    return kind.task == task || (task == "auto" && kind.is != nullptr && kind.is(data));
  });
  check_usage(found != kinds.end(), "task: expected one of ", joined(task_names()), ", got '", task,
              "'");
  return *found;
}

}  // namespace

std::vector<DataKind> data_kinds() {
  std::vector<DataKind> kinds = {graphs_kind(), tables_kind(),      images_kind(),
                                 sounds_kind(), transcripts_kind(), questions_kind(),
                                 series_kind(), interactions_kind()};
  for (DataKind& kind : text_kinds()) kinds.push_back(std::move(kind));
  return kinds;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const DataKind& kind : data_kinds()) names.push_back(kind.task);
  std::sort(names.begin(), names.end());
  return names;
}

Report examine_data(const DataToCheck& data, std::string_view task) {
  check_usage(!data.splits.empty() && !data.splits.front().files.empty(),
              "expected at least one file");
  const std::vector<DataKind> kinds = data_kinds();
  Report report;
  kind_of(kinds, data, task).check(data, report);
  return report;
}

bool has_files(const DataToCheck& data, bool (*called_so)(const std::filesystem::path& file)) {
  const std::filesystem::path& first = data.splits[0].files[0];
  std::error_code error;  // what cannot be looked into, the readers tell of
  if (!std::filesystem::is_directory(first, error)) return called_so(first);
  std::filesystem::recursive_directory_iterator at(first, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::error_code unknown;
    if (at->is_regular_file(unknown) && called_so(at->path())) return true;
  }
  return false;
}

void begin_report(const Data& data, Report& report) {
  for (const Split& split : data.splits) {
    report.numbers["samples"][split.name] = split.samples.size();
  }
  for (const std::string& note : data.reading.notes()) report.notes.push_back(note);
  check_reading(data, report);
}

}  // namespace heed::doctor
