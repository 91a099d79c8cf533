// --from of `heed train …`: a published model to go on with, in place of a fresh one.
#pragma once

#include <initializer_list>
#include <memory>
#include <set>
#include <string>

#include "heed/cli/options/options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/models/files/published_files.h"

namespace heed::cli {

class FromModel {
 public:
  // Adds --from and what of the model learns. Call it before the options of the model, whose group
  // is "Model".
  void add_to(Options& options);

  bool wanted() const { return !directory_.empty(); }
  const std::string& directory() const { return directory_; }

  // With --from: throws UsageError for options that describe a model, in the groups "Model" and
  // "Words and tags", which comes with its own, but for those named; and sets what fine-tuning
  // usually does otherwise, where it is not given: --lr 5e-5, or 3e-4 of an adapter. Without:
  // throws UsageError for options that only --from has.
  void prepare(const std::set<std::string>& also_meant, TrainingSettings& training) const;

  // The model, ready to learn what is to learn; says on stderr what it is and what begins anew.
  models::PublishedFiles open(models::HeadRequest request) const;
  // The same of a model that reads no texts.
  std::shared_ptr<models::published::Published> open_model(models::HeadRequest request) const;

  // What of the model is to learn, for those who open it themselves.
  const models::published::FineTuningOptions& tuning() const { return tuning_; }
  // Says on stderr what it is and what begins anew.
  static void show(const models::published::Published& model);

  // The number that was given with this option, otherwise 0.
  int64_t given_or_0(const std::string& name, int64_t value) const;
  bool is_given(const std::string& name) const { return command_->is_given(name); }

 private:
  static constexpr double kLr = 5e-5;
  static constexpr double kAdapterLr = 3e-4;

  std::string directory_;
  models::published::FineTuningOptions tuning_;
  const Options* command_ = nullptr;
};

}  // namespace heed::cli
