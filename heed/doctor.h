// What a careful person checks before training: the data.
#pragma once

#include "heed/doctor/checks.h"
