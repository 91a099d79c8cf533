// torch's optimizers, for tests that fit something. They need archives whole, before themselves
// (cmake/torch_light/torch/serialize/archive.h says why those are not there otherwise).
#pragma once

#include <torch/serialize/input-archive.h>
#include <torch/serialize/output-archive.h>

#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
