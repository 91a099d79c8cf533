#include "heed/cli/options/from_model.h"

#include <iostream>

#include "heed/base/error.h"

namespace heed::cli {

void FromModel::add_to(Options& options) {
  command_ = &options;
  options.add("--from", directory_,
              "Directory of a published model (Hugging Face) to go on with; what is in it is what "
              "--out has then");
}

void FromModel::prepare(const std::set<std::string>& also_meant, TrainingSettings& training) const {
  for (const OptionInfo& option : command_->all()) {
    const std::string name = option.setting_name();
    const bool describes = option.group == "Model" || option.group == "Words and tags";
    check_usage(!option.given || !describes || also_meant.count(name) > 0, "--", name,
                ": has no meaning with --from, whose model has its own");
  }
  if (!command_->is_given("lr")) training.options.lr = kLr;
}

int64_t FromModel::given_or_0(const std::string& name, int64_t value) const {
  return command_->is_given(name) ? value : 0;
}

void FromModel::show(const models::published::Published& model) {
  std::cerr << "heed: goes on with " << models::line_of(model) << '\n';
}

}  // namespace heed::cli
