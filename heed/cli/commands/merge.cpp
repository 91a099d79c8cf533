#include <iostream>
#include <string>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/published/published.h"

namespace heed::cli {
namespace {

struct MergeSettings {
  std::string directory;
  std::string base;
  std::string out;
};

void run_merge(const MergeSettings& settings) {
  models::check_replaceable_model(settings.out);
  const auto model = heed::load(settings.directory, {.base = settings.base});
  check_usage(model->has_adapter(), settings.directory,
              ": expected an adapter (adapter_config.json), found none");
  model->merge_adapter();
  model->save(settings.out);
  std::cerr << "heed: the whole model with its adapter is in " << settings.out << '\n';
}

void define_merge(Options& options, MergeSettings& s) {
  options
      .add("adapter", s.directory, "Directory of an adapter (LoRA, DoRA) that peft or Heed wrote")
      .required();
  options.add("--base", s.base,
              "Directory of the model that it is for, in place of the one that it names");
  options.add("--out", s.out, "Directory for the whole model").required();
}

}  // namespace

Command merge_command() {
  return {
      .path = "merge",
      .summary = "Make an adapter part of the weights of its model",
      .examples =
          "  heed merge adapter --out model\n"
          "  heed merge adapter --base bert-base-uncased --out model\n",
      .define = with_settings(define_merge, run_merge),
  };
}

}  // namespace heed::cli
