// The torch headers that most of Heed's sources use, precompiled once for all folders. Each costs
// every file time, whether it uses it or not: GCC instantiates again whatever templates the inline
// functions of a precompiled header call. So what few files use is not here.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/nn/module.h>

#include <filesystem>
