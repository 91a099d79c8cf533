// What a careful person checks: data before training, a model after it.
#pragma once

#include "heed/doctor/checks.h"
#include "heed/doctor/model_checks.h"
