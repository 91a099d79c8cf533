// Trains a classifier as `heed train classify` does, and leaves the directory that it leaves:
//   heed_example_train TRAIN.tsv VALID.tsv MODEL_DIRECTORY
#include <ATen/Context.h>

#include <iostream>

#include "heed/base/cpus.h"
#include "heed/base/error.h"
#include "heed/ops/threads.h"
#include "heed/tasks/text/text_classification.h"
#include "heed/training/trainer.h"

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: " << arguments[0] << " TRAIN.tsv VALID.tsv MODEL_DIRECTORY\n";
    return 2;
  }
  try {
    heed::set_threads(heed::granted_cpus().count);
    at::manual_seed(1);
    heed::data::DataReport report;  // what is wrong with the data, if anything
    const heed::data::TrainingData data = heed::data::read_training_data(
        {.train = {arguments[1]}, .valid = {arguments[2]}}, {}, report);

    heed::tasks::TextClassificationOptions options;
    options.model.transformer.d_model = 32;
    options.model.transformer.d_ff = 64;
    heed::tasks::TextClassification task(data, options);

    heed::training::Observer observer;
    observer.evaluation = [](const heed::training::Evaluation& now) {
      std::cerr << "epoch " << now.epoch << ": loss " << now.train_loss << '\n';
    };
    const heed::training::RunReport run = heed::training::train(
        task, {.epochs = 8, .batch_size = 4, .lr = 5e-3}, arguments[3], observer);
    std::cout << "accuracy " << heed::tasks::metric(run.best.validation, "accuracy") << " after "
              << run.steps << " steps\n";
    return 0;
  } catch (const heed::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
