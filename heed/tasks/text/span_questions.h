// Questions about texts, answered by a span of the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/question_split.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/text/question_units.h"
#include "heed/text/span.h"

namespace heed::tasks {

struct SpanQuestionsOptions {
  models::QuestionAnswererOptions model;  // vocabulary and padding are read from the data
  std::string tokenizer = "words";        // question_tokenizer()
  models::SpanReading reading;  // but for answer_may_be_missing, which is read from the data
};

// A part of the tokens of a text, [begin, end). Windows overlap; a token belongs to the one in
// whose middle it stands more, those of [owned_begin, owned_end).
struct TextWindow {
  size_t begin = 0;
  size_t end = 0;
  size_t owned_begin = 0;
  size_t owned_end = 0;
};

// Windows of at most `size` tokens, one every `stride` tokens (at most `size`), over `count`
// tokens: at least one, which may be empty; each token is owned by one of them.
std::vector<TextWindow> text_windows(size_t count, size_t size, size_t stride);

struct Readings;  // questions and texts as the model reads them

// A training example is a window: its answer is the first of the question, where the window holds
// all of it, otherwise none.
class SpanQuestions final : public Task {
 public:
  // Builds the vocabulary from the training data and a fresh model, whose weights come from torch's
  // default generator. `progress` is of the merges of a BPE.
  SpanQuestions(const data::SpanTrainingData& data, const SpanQuestionsOptions& options,
                const Progress& progress = {});

  // Goes on with a model of spans and with its vocabulary.
  SpanQuestions(const data::SpanTrainingData& data, const models::SpanReading& reading,
                models::TrainedQuestionAnswerer trained);

  std::string name() const override { return "qa"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<Batch> prepare(std::vector<int64_t> examples) const override;
  Loss loss(const Batch& batch) override;  // mean of the cross-entropies of start and end
  Metrics validate(const Progress& progress) override;
  Watched watched() const override { return {.name = "f1", .higher_is_better = true}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedQuestionAnswerer& trained() const { return trained_; }

  // Of the training and the validation questions, and of the answers that are taught.
  const CutTexts& cut() const { return cut_; }

 private:
  struct Target {
    int32_t first;  // units
    int32_t last;
  };
  struct LongAnswers {
    int64_t all = 0;
    int64_t too_long = 0;
    int64_t in_no_window = 0;

    CutTexts counted(const models::SpanReading& reading) const;
  };
  void read(const data::SpanTrainingData& data, const models::SpanReading& reading);
  void add_example(const data::SpanQuestion& question, const std::string& context,
                   LongAnswers& answers);

  models::TrainedQuestionAnswerer trained_;
  std::vector<QuestionUnits> inputs_;  // windows
  std::vector<int64_t> lengths_;       // their units
  std::vector<Target> targets_;
  data::SpanData valid_;
  std::shared_ptr<const Readings> valid_readings_;
  CutTexts cut_;
};

struct SpanRequest {
  std::string_view context;
  std::string_view question;
};

// How many questions are cut, being longer than half of what the model reads, and how many have a
// text that is longer than it and read in windows.
CutTexts cut_texts(const models::TrainedQuestionAnswerer& trained,
                   const std::vector<SpanRequest>& requests);

struct FoundSpan {
  text::Span range;  // bytes of the context
  double probability = 0;
};

struct SpanAnswers {
  std::vector<FoundSpan> best;  // falling probability
  double none = 0;              // probability that the text has no answer; 0 of a model that always
                                // answers
  // Whether one of `best` is the answer: it is likelier than none.
  bool found() const { return !best.empty() && best.front().probability >= none; }
};

// The `count` best spans for each request, in evaluation mode, each that of the request alone.
// Probabilities are those of all spans that may be an answer, in all windows, and of none. Throws
// DataError where a question has no words.
std::vector<SpanAnswers> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<SpanRequest>& requests, int64_t count,
                                const Progress& progress = {});

// Exact match and F1 (metrics/answers.h), and the number of questions.
QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::SpanData>& data, const Progress& progress = {});

// What the model reads of one window: the question, cut to half of what the model reads, and the
// tokens of the text. Throws DataError where the question has no words.
struct SpanUnits {
  QuestionUnits units;
  std::vector<text::Span> offsets;  // of each unit, in the question or in the text
};
SpanUnits first_window(const models::TrainedQuestionAnswerer& trained, const SpanRequest& request);

}  // namespace heed::tasks
