// Trains the module of a task: batches, an optimizer, a schedule, the best model kept, checkpoints.
#pragma once

#include <filesystem>

#include "heed/io/atomic.h"
#include "heed/tasks/common/task.h"
#include "heed/training/run/reports.h"
#include "heed/training/training_options.h"

namespace heed::training {

// Trains and leaves the best model in `directory`, whole at every moment, and the files of the run
// where options.files says. The same options, data and number of threads give the same model, bit
// for bit, whether or not the run was stopped and resumed in between.
//
// Errors: UsageError for options that cannot be used, for a run that cannot be resumed with them,
// and for a directory of run files that holds a run that has not ended or is still going on.
// Interrupted where the observer asked to stop; a checkpoint is there. NotFiniteError with the step
// and the layer where the loss or the gradients are no numbers; the last checkpoint stays. IoError
// where something could not be written; the checkpoint before stays.
RunReport train(tasks::Task& task, const TrainingOptions& options,
                const std::filesystem::path& directory, const Observer& observer = {},
                SystemCalls& calls = real_system_calls());

}  // namespace heed::training
