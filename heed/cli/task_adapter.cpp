#include "heed/cli/task_adapter.h"

#include <ATen/ATen.h>

#include "heed/base/format.h"
#include "heed/io/printable.h"

namespace heed::cli {

std::string answer_line(const std::string& answer, double probability) {
  return printable(answer) + formatted("\t%.4f", probability);
}

std::string answer_title(const std::string& answer, double probability) {
  return answer + formatted(" (%.0f %%)", 100 * probability);
}

}  // namespace heed::cli
