// Training: the trainer with its checkpoints, or its parts for a loop of one's own.
#pragma once

#include "heed/training/data_loader.h"
#include "heed/training/named_parameters.h"
#include "heed/training/not_finite.h"
#include "heed/training/optimizer.h"
#include "heed/training/precision.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/schedule.h"
#include "heed/training/trainer.h"
#include "heed/training/training_options.h"
