#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/io/file.h"
#include "heed/io/utf8.h"
#include "heed/tasks/text_classification.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::string file = "-";
  ReadingOptions reading;
  ThreadOptions threads;
  double threshold = 0;
  std::string unknown = "unknown";
  bool json = false;
};

// Lines from a file or a pipe, read by a thread of its own: whoever takes them gets all that have
// arrived. One line is answered at once, many are answered in batches.
class LineQueue {
 public:
  explicit LineQueue(const std::string& file) : reader_(file) {
    thread_ = std::thread([this] { read(); });
  }

  ~LineQueue() {
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // Waits for at least one line; empty at the end of the input.
  std::vector<std::string> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !lines_.empty() || ended_; });
    const size_t count = std::min(lines_.size(), kMost);
    std::vector<std::string> taken(
        std::make_move_iterator(lines_.begin()),
        std::make_move_iterator(lines_.begin() + static_cast<std::ptrdiff_t>(count)));
    lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(count));
    if (taken.empty() && error_) std::rethrow_exception(error_);
    changed_.notify_all();
    return taken;
  }

 private:
  static constexpr size_t kMost = 1024;  // lines of a batch, and in waiting

  void read() {
    try {
      std::string_view line;
      while (reader_.next(line)) {
        if (!is_utf8(line)) {
          throw DataError(reader_.where(), "expected UTF-8, found " + excerpt(line));
        }
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return lines_.size() < kMost || abandoned_; });
        if (abandoned_) return;
        lines_.emplace_back(line);
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  LineReader reader_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::exception_ptr error_;
  bool ended_ = false;
  bool abandoned_ = false;
};

void print(const Settings& settings, const models::TrainedTextClassifier& trained,
           const std::string& text, const tasks::Classification& result) {
  const double probability = result.probabilities[static_cast<size_t>(result.label)];
  const bool known = probability >= settings.threshold;
  const std::string& label =
      known ? trained.labels[static_cast<size_t>(result.label)] : settings.unknown;
  if (!settings.json) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "\t%.4f\n", probability);
    std::cout << label << buffer;
    return;
  }
  nlohmann::ordered_json json;
  json["text"] = text;
  if (known) {
    json["label"] = label;
  } else {
    json["label"] = nullptr;
  }
  for (size_t c = 0; c < trained.labels.size(); ++c) {
    json["probabilities"][trained.labels[c]] = result.probabilities[c];
  }
  std::cout << json.dump() << '\n';
}

void answer(const Settings& settings, const models::TrainedTextClassifier& trained,
            const std::vector<std::string>& texts) {
  const auto results = tasks::classify(trained, texts);
  for (size_t i = 0; i < texts.size(); ++i) print(settings, trained, texts[i], results[i]);
  std::cout.flush();
  if (!std::cout) throw IoError("standard output: could not be written to the end");
}

// Plain lines, each answered as soon as it is there.
void predict_lines(const Settings& settings, const models::TrainedTextClassifier& trained) {
  LineQueue queue(settings.file);
  for (auto texts = queue.take(); !texts.empty(); texts = queue.take()) {
    answer(settings, trained, texts);
  }
}

// TSV, CSV and JSONL: a row may be several lines, so the whole file is read first.
void predict_table(const Settings& settings, const models::TrainedTextClassifier& trained,
                   data::ReadOptions reading) {
  reading.labels = data::Labels::kNone;
  data::DataReport report;
  const auto data = data::read_classification(settings.file, reading, report);
  report.throw_if_fatal();
  std::cerr << report.text();
  std::vector<std::string> texts;
  for (const data::Example& example : data.examples) texts.push_back(example.text);
  answer(settings, trained, texts);
}

void run(const Settings& settings) {
  settings.threads.apply();
  const data::ReadOptions reading = settings.reading.parsed();
  const auto trained = models::load_text_classifier(settings.directory);
  const data::Format format = data::format_of(settings.file, reading.format, data::Labels::kNone);
  if (format == data::Format::kText) {
    predict_lines(settings, trained);
  } else {
    predict_table(settings, trained, reading);
  }
}

}  // namespace

Command predict_command() {
  return {
      .path = "predict",
      .summary = "Classify texts: a line in, a line out",
      .examples =
          "  echo 'a wonderful little film' | heed predict model\n"
          "  heed predict model reviews.txt --json\n"
          "  heed predict model reviews.txt --threshold 0.8 --unknown \"don't know\"\n",
      .define =
          [](CLI::App& app) {
            auto settings = std::make_shared<Settings>();
            Settings& s = *settings;
            app.add_option("model", s.directory, "Directory of a trained model")->required();
            app.add_option("file", s.file, "A text on each line; - reads standard input");
            app.add_option("--threshold", s.threshold,
                           "Answer --unknown where no class is at least this likely")
                ->check(CLI::Range(0.0, 1.0));
            app.add_option("--unknown", s.unknown, "What to print where the threshold is not met");
            app.add_flag("--json", s.json, "Print a JSON object a line, with all probabilities");
            s.reading.add_to(app);
            s.threads.add_to(app);
            return [settings] { run(*settings); };
          },
  };
}

}  // namespace heed::cli
