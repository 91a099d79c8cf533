// A trained model as `heed eval`, `predict`, `attend` and `inspect` see it, whatever its task. Each
// task has one class of this kind, in heed/cli/tasks, and one line in the list of trained.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/data/rows.h"
#include "heed/io/json.h"
#include "heed/tasks/task.h"
#include "heed/text/tokenizer.h"

namespace heed::cli {

// What a model is asked about: a line of text, or a row of a file.
struct Input {
  std::string text;
  std::string where;                    // "reviews.tsv:12", for messages
  std::vector<std::string> words = {};  // of a sentence whose words stand apart
};

// Options of `heed predict` that only some tasks know.
struct PredictionOptions {
  std::optional<double> threshold = {};  // of a class
  std::string unknown = "unknown";       // what to answer below it
  int64_t num_beams = 5;                 // of beam search
  double length_penalty = 1;
  int64_t max_new_tokens = 256;  // of an answer that is written token by token
  int64_t top = 5;               // answers to list in JSON
  bool list_top = false;         // also where JSON has all of them anyway
  bool color = false;            // on a terminal
};

// The answer to one input: a line for people, or JSON.
struct Answer {
  std::string line;
  OrderedJson json;
};

// How well a model does on labelled data: numbers, and what does not fit into numbers.
struct Evaluation {
  tasks::Metrics metrics;
  OrderedJson details = {};  // beside the metrics in JSON: confusion, per-class report
  std::string report = {};   // below the metrics for people, whole lines
  // What was answered wrongly, where it was asked for: where, expected, predicted, text.
  struct Wrong {
    double confidence = 0;
    OrderedJson row;
  };
  std::vector<Wrong> wrong = {};
};

// The weights of one input.
struct AttentionView {
  std::string title;
  std::vector<std::string> queries;  // Nq tokens as the text has them
  std::vector<std::string> keys;     // Nk
  at::Tensor weights;                // (layers, H, Nq, Nk) float32
  OrderedJson details = {};          // in JSON, beside the weights: label, probability, output
  // For people, in place of the keys shaded by what they receive: lines with tokens of their own,
  // such as the sentences of a document, each behind its weight.
  struct Line {
    float weight = 0;
    std::vector<std::string> tokens;
    std::vector<float> weights;  // one a token
  };
  std::vector<Line> lines = {};
};

struct EvaluationRequest {
  std::vector<std::string> files;  // at least one
  ReadingOptions reading;
  PredictionOptions prediction;
  bool wrong = false;  // list what was answered wrongly
  // How written answers are compared with the references.
  bool lowercase = false;
  bool rouge = false;
};

class Trained {
 public:
  virtual ~Trained() = default;

  // As config.json has it: "classify".
  virtual std::string task() const = 0;
  virtual const torch::nn::Module& module() const = 0;

  // The settings that `inspect` shows, in order.
  virtual OrderedJson description() const = 0;

  // The options of `heed eval` and of `heed predict` that mean something for this task:
  // "threshold". Others are refused, but for those that every command has.
  virtual std::vector<std::string> evaluation_options() const { return {"encoding"}; }
  virtual std::vector<std::string> prediction_options() const { return {"encoding"}; }

  virtual Evaluation evaluate(const EvaluationRequest& request,
                              const tasks::Progress& progress) = 0;

  // One answer an input, in order; of one alone, the same as among others. Throws DataError for an
  // input that cannot be answered.
  virtual std::vector<Answer> predict(std::span<const Input> inputs,
                                      const PredictionOptions& options) = 0;

  // The inputs of a file that is not simply an input a line; none: it is that. Reports what it
  // leaves out.
  virtual std::optional<std::vector<Input>> read_inputs(data::TextLines& lines,
                                                        const ReadingOptions& reading,
                                                        data::DataReport& report);

  // What is to be said of all inputs so far, such as texts that were cut. A line each.
  virtual std::vector<std::string> warnings() const { return {}; }

  // The tokenizers that read inputs; none where special tokens have no meaning in an input.
  using TokenizerPlace = std::shared_ptr<const text::Tokenizer>*;
  virtual std::vector<TokenizerPlace> tokenizers() { return {}; }

  // From now on inputs may hold special tokens.
  void read_special_tokens();

  // The kinds of attention that attend() shows, the usual one first: {"cross", "encoder"}.
  virtual std::vector<std::string> attention_parts() const { return {"self"}; }
  virtual AttentionView attend(const std::string& input, const std::string& part) = 0;
};

// Loads the model in `directory` by the model_type of its config.json. Throws MissingInputError or
// DataError as the loaders of heed/models do.
std::unique_ptr<Trained> load_trained(const std::filesystem::path& directory);

// Throws UsageError for an option on the command line that is not among `known`.
void check_options(const CLI::App& app, const std::vector<std::string>& known,
                   const Trained& trained);

// The weights of one input, (1, H, Nq, Nk) of each layer -> (layers, H, Nq, Nk) float32.
at::Tensor stacked_layers(const std::vector<at::Tensor>& layers);

// "answer\t0.9876", without what a terminal would obey.
std::string answer_line(const std::string& answer, double probability);

// "answer (99 %)", above a picture.
std::string answer_title(const std::string& answer, double probability);

// The loaders, one a task.
std::unique_ptr<Trained> load_language_modelling(const std::filesystem::path& directory);
std::unique_ptr<Trained> load_question_answering(const std::filesystem::path& directory);
std::unique_ptr<Trained> load_sequence_to_sequence(const std::filesystem::path& directory);
std::unique_ptr<Trained> load_text_classification(const std::filesystem::path& directory);
std::unique_ptr<Trained> load_entity_recognition(const std::filesystem::path& directory);

}  // namespace heed::cli
