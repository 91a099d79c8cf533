#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/doctor/model_doctor.h"
#include "heed/cli/doctor/report_pages.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/doctor/data_kind.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {
namespace {

struct DoctorSettings {
  std::vector<std::string> inputs;  // a model and data, or data
  std::vector<std::string> valid;
  std::vector<std::string> test;
  std::string task_name = "auto";
  std::string label_separator;
  std::string target;
  std::string tokenizer;
  int64_t max_length = 512;
  bool no_model = false;
  bool json = false;
  std::string out;
  ReadingOptions reading;
  AnyTask task;
  ThreadOptions threads;
  const Options* command = nullptr;

  bool has_model() const {
    return std::filesystem::exists(std::filesystem::path(inputs.front()) / "config.json");
  }
};

doctor::Report data_report(const DoctorSettings& settings) {
  for (const std::string& name : settings.command->given()) {
    check_usage(name == "edges" || !settings.task.declares(name), "--", name,
                ": has no meaning for data, but for a model of its task");
  }
  const auto only_of = [&](const char* option, bool given, const char* task) {
    check_usage(!given || settings.task_name == "auto" || settings.task_name == task, "--", option,
                ": has no meaning for --task ", settings.task_name, ", but for ", task);
  };
  only_of("target", !settings.target.empty(), "table");
  only_of("edges", settings.command->is_given("edges"), "graph");
  data::ReadOptions options = settings.reading.parsed();
  options.label_separator = settings.label_separator;
  std::optional<text::Tokenizer> tokenizer;
  if (!settings.tokenizer.empty()) tokenizer = text::Tokenizer::load(settings.tokenizer);
  doctor::DataToCheck data{
      .reading = options,
      .lengths = {.tokenizer = tokenizer ? &*tokenizer : nullptr,
                  .max_length = settings.max_length},
      .quick_model = !settings.no_model,
      .target = settings.target,
  };
  if (const auto* graph = settings.task.find<GraphReading>()) data.edges = graph->edges;
  for (const auto& [name, files] :
       {std::pair("train", &settings.inputs), std::pair("valid", &settings.valid),
        std::pair("test", &settings.test)}) {
    if (!files->empty()) data.splits.push_back({name, paths_of(*files)});
  }
  doctor::Report report = doctor::examine_data(data, settings.task_name);
  for (const std::string& note : report.notes) std::cerr << "heed: " << note << '\n';
  return report;
}

doctor::Report model_report(const DoctorSettings& settings) {
  for (const std::string& name : settings.command->given()) {
    const bool known = name == "data" || name == "json" || name == "out" || name == "threads" ||
                       settings.task.declares(name);
    check_usage(known, "--", name,
                ": has no meaning for a model, which reads its data as heed eval does");
  }
  AnyTask task = settings.task;
  task.choose(settings.inputs.front());
  return examine_model(task, {settings.inputs.begin() + 1, settings.inputs.end()});
}

void print(const doctor::Report& report, bool json) {
  if (json) {
    std::cout << report.json().dump() << '\n';
  } else {
    if (report.numbers.contains("samples")) {
      for (const auto& [name, count] : report.numbers["samples"].items()) {
        std::cout << name << ": " << count << " samples\n";
      }
    }
    std::cout << report.text();
  }
  flush_output();
}

void run_doctor(const DoctorSettings& settings) {
  settings.threads.apply();
  const bool model = settings.has_model();
  const doctor::Report report = model ? model_report(settings) : data_report(settings);
  if (!settings.out.empty()) {
    write_report_page(page_of(report, "heed doctor " + joined(settings.inputs, " ")), settings.out);
    std::cerr << "heed: wrote " << settings.out << '\n';
  }
  print(report, settings.json);
  if (!report.go_on()) {
    throw DataError(text_of("the ", model ? "model" : "data", " should not be ",
                            model ? "used" : "trained on", " as it is: see what is marked 'stop'"));
  }
}

void define_doctor(Options& options, DoctorSettings& s) {
  s.command = &options;
  options
      .add("data", s.inputs,
           "Files or folders to train on; or the directory of a trained model, and examples of its "
           "task behind it")
      .required();
  options.add("--valid", s.valid, "Files to validate on");
  options.add("--test", s.test, "Files to test on");
  options
      .add("--task", s.task_name,
           "What heed train is to learn of the data; auto: told by the files")
      .one_of(doctor::task_names());
  options.add("--target", s.target, "Of a table: the column that is to be told of its rows");
  options.add("--label-separator", s.label_separator,
              "What stands between the labels of a text that has several");
  options.add("--tokenizer", s.tokenizer,
              "A tokenizer.json to count tokens with; without it words are counted");
  options.add("--max-length", s.max_length, "Tokens that the model will read of a text")
      .at_least(1);
  options.flag("--no-model", s.no_model, "Leave out the quick model that looks for wrong labels");
  options.add("--out", s.out, "A page to write, .html");
  options.flag("--json", s.json, "Print one JSON object");
  s.reading.add_to(options);
  s.task.add_options(options, Use::kDoctor);
  s.threads.add_to(options);
}

}  // namespace

Command doctor_command() {
  return {
      .path = "doctor",
      .summary = "Check data before training on it, or a model after it",
      .examples =
          "  heed doctor train.tsv\n"
          "  heed doctor train.tsv --valid valid.tsv --test test.tsv --json\n"
          "  heed doctor train.tsv --tokenizer tokenizer.json --max-length 128\n"
          "  heed doctor people.csv --target income --test later.csv\n"
          "  heed doctor nodes.tsv --edges edges.tsv\n"
          "  heed doctor model test.tsv --out report.html\n"
          "  heed doctor model nodes.tsv --edges edges.tsv\n",
      .define = with_settings(define_doctor, run_doctor),
  };
}

}  // namespace heed::cli
