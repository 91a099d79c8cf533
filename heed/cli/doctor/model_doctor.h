// `heed doctor MODEL [DATA]`.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/task_kind.h"
#include "heed/doctor/finding.h"

namespace heed::cli {

// Examines the model of `task`: its parameters and the run beside it and, with `files` of its
// task's examples, its attention, whether padding reaches its answers, how well it does and how
// sure it is. Throws as AnyTask::load and TaskAdapter::evaluate do.
doctor::Report examine_model(const AnyTask& task, const std::vector<std::string>& files);

}  // namespace heed::cli
