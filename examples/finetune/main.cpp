// Goes on with a published classifier, or any published model and a new head, on texts of one's
// own:
//   heed_example_finetune MODEL_DIRECTORY TRAIN.tsv VALID.tsv NEW_DIRECTORY
// transformers opens the new directory as it does the first.
#include <ATen/Context.h>

#include <iostream>

#include "heed/base/cpus.h"
#include "heed/base/error.h"
#include "heed/models/files/published_files.h"
#include "heed/ops/threads.h"
#include "heed/tasks/text/text_classification.h"
#include "heed/training/trainer.h"

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "usage: " << arguments[0] << " MODEL TRAIN.tsv VALID.tsv NEW_MODEL\n";
    return 2;
  }
  try {
    heed::set_threads(heed::granted_cpus().count);
    at::manual_seed(1);
    heed::data::DataReport report;
    const auto data = heed::data::read_training_data(
        {.train = {arguments[2]}, .valid = {arguments[3]}}, {}, report);
    const auto files = heed::models::with_head(arguments[1], {.labels = data.train.label_names});
    heed::tasks::TextClassification task(data, {}, heed::models::as_text_classifier(files));
    const auto run = heed::training::train(task, {.epochs = 3, .lr = 5e-5}, arguments[4], {});
    std::cout << "accuracy " << heed::tasks::metric(run.best.validation, "accuracy") << '\n';
    return 0;
  } catch (const heed::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
