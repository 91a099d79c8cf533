// What a published model is made of, for the sources of the class.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "heed/models/published/adapter.h"
#include "heed/models/published/architecture.h"
#include "heed/models/published/assembly.h"
#include "heed/models/published/folders.h"
#include "heed/models/published/published.h"

namespace heed::models::published {

struct Published::Parts {
  explicit Parts(Folders opened) : folders(std::move(opened)) {}

  Folders folders;
  Plan plan = {};
  std::vector<Origin> origins = {};  // of the parameters
  std::unique_ptr<Adapter> adapter = {};
};

}  // namespace heed::models::published
