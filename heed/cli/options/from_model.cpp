#include "heed/cli/options/from_model.h"

#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/options/field_options.h"
#include "heed/models/published/folders.h"

namespace heed::cli {

void FromModel::add_to(Options& options) {
  command_ = &options;
  options.add("--from", directory_,
              "Directory of a published model (Hugging Face) to go on with; what is in it is what "
              "--out has then");
  visit_fields(tuning_, FieldOptions(options));
}

void FromModel::prepare(const std::set<std::string>& also_meant, TrainingSettings& training) const {
  for (const OptionInfo& option : command_->all()) {
    const std::string name = option.setting_name();
    const bool tunes = option.group.starts_with("Fine-tuning");
    check_usage(!option.given || !tunes || wanted(), "--", name,
                ": has a meaning with --from alone");
    const bool describes = option.group == "Model" || option.group == "Words and tags";
    check_usage(!wanted() || !option.given || !describes || also_meant.count(name) > 0, "--", name,
                ": has no meaning with --from, whose model has its own");
  }
  if (!wanted() || command_->is_given("lr")) return;
  const bool adapts =
      tuning_.adapter.lora_r > 0 || models::published::Folders(directory_).is_adapter();
  training.options.lr = adapts ? kAdapterLr : kLr;
}

int64_t FromModel::given_or_0(const std::string& name, int64_t value) const {
  return command_->is_given(name) ? value : 0;
}

models::PublishedFiles FromModel::open(models::HeadRequest request) const {
  request.tuning = tuning_;
  models::PublishedFiles files = models::with_head(directory_, request);
  show(*files.model);
  return files;
}

std::shared_ptr<models::published::Published> FromModel::open_model(
    models::HeadRequest request) const {
  request.tuning = tuning_;
  auto model = models::model_with_head(directory_, request);
  show(*model);
  return model;
}

void FromModel::show(const models::published::Published& model) {
  std::cerr << "heed: goes on with " << models::line_of(model) << '\n';
}

}  // namespace heed::cli
