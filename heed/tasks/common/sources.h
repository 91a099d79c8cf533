// What a task was made of, as checksums (tasks/common/task.h).
#pragma once

#include <string>

#include "heed/io/checksum.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

// add(sum) gives it the contents.
template <typename Add>
Source source_of(std::string name, const Add& add) {
  Checksum sum;
  add(sum);
  return {.name = std::move(name), .checksum = sum.text()};
}

inline Source source_of(std::string name, const text::Tokenizer& tokenizer) {
  return source_of(std::move(name), [&](Checksum& sum) { sum.add(tokenizer.to_json()); });
}

}  // namespace heed::tasks
