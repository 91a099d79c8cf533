#include <iostream>
#include <memory>

#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/tasks/text_classification.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::string file;
  ReadingOptions reading;
  ThreadOptions threads;
  bool json = false;
};

void run(const Settings& settings) {
  settings.threads.apply();
  const auto trained = models::load_text_classifier(settings.directory);
  data::ReadOptions reading = settings.reading.parsed();
  reading.label_names = trained.labels;
  data::DataReport report;
  const auto data = data::read_classification(settings.file, reading, report);
  report.throw_if_fatal();
  std::cerr << report.text();
  const tasks::Metrics metrics = tasks::evaluate(trained, data, progress_bar("evaluating"));
  if (settings.json) {
    std::cout << json_of(metrics).dump() << '\n';
  } else {
    for (const auto& [name, value] : metrics) {
      std::cout << name << '\t' << value << '\n';
    }
  }
}

}  // namespace

Command eval_command() {
  return {
      .path = "eval",
      .summary = "Measure a trained model on labelled examples",
      .examples = "  heed eval model test.tsv\n  heed eval model test.jsonl.gz --json\n",
      .define =
          [](CLI::App& app) {
            auto settings = std::make_shared<Settings>();
            Settings& s = *settings;
            app.add_option("model", s.directory, "Directory of a trained model")->required();
            app.add_option("file", s.file, "Labelled examples; - reads standard input")->required();
            s.reading.add_to(app);
            s.threads.add_to(app);
            app.add_flag("--json", s.json, "Print one JSON object whose keys are the metrics");
            return [settings] { run(*settings); };
          },
  };
}

}  // namespace heed::cli
