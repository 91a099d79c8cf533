// What several processes must agree on before they train together. One that went its own way would
// make the others wait for messages that never come, or train a wrong model.
#pragma once

#include <functional>
#include <string>

#include "heed/training/processes/process_group.h"
#include "heed/training/training_options.h"

namespace heed::training {

// All processes call it with what each of them was given. Throws UsageError in all of them where
// they differ, naming the first difference of each rank.
void check_agreement(ProcessGroup& group, const Settings& settings);

// The text of rank 0, in all processes; all call it. group: null: this process alone.
std::string told_by_first(ProcessGroup* group, const std::string& text);

// Rank 0 does `work` and the others wait until it is done; all call it. Where it throws an Error,
// all throw one of that kind. group: null: this process alone.
void done_by_first(ProcessGroup* group, const std::function<void()>& work);

}  // namespace heed::training
