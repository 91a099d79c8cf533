#include "heed/tasks/text/story_questions.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/metrics/answers.h"
#include "heed/models/files/label_json.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"

namespace heed::tasks {
namespace {

constexpr int64_t kQuestionsAtOnce = 128;
constexpr int64_t kMostAnswers = 1 << 22;  // of a batch

std::vector<std::string> all_texts(const std::vector<data::StoryData>& data) {
  std::vector<std::string> texts;
  for (const data::StoryData& file : data) {
    int64_t story = -1;
    size_t known = 0;  // sentences of it
    for (const data::StoryQuestion& each : file.questions) {
      if (each.number != story) known = 0;
      story = each.number;
      for (; known < each.story.size(); ++known) texts.push_back(each.story[known]);
      texts.push_back(each.question);
    }
  }
  return texts;
}

std::vector<std::string> all_answers(const std::vector<data::StoryData>& data) {
  std::set<std::string> answers;
  for (const data::StoryData& file : data) {
    for (const data::StoryQuestion& each : file.questions) answers.insert(each.answer);
  }
  return {answers.begin(), answers.end()};
}

// Empty units before a share of those that are no question; what is pushed beyond `longest` units
// is left out.
models::QuestionBatch with_empty_units(const models::QuestionBatch& batch, double share,
                                       int64_t longest) {
  const int64_t rows = batch.ids.size(0);
  const int64_t count = batch.ids.size(1);
  const at::Tensor place = at::arange(count, at::kLong).unsqueeze(0);
  const at::Tensor drawn = (at::rand({rows, count}) < share)
                               .logical_and(place >= batch.question.unsqueeze(1))
                               .logical_and(place < batch.units.unsqueeze(1));
  const at::Tensor shift = drawn.to(at::kLong).cumsum(1);
  const at::Tensor target = place + shift;
  const int64_t size = count + shift.max().item<int64_t>();
  const int64_t words = batch.ids.size(2);
  const at::Tensor ids =
      at::zeros({rows, size, words}, at::kLong)
          .scatter(1, target.unsqueeze(2).expand({rows, count, words}), batch.ids);
  const at::Tensor sizes = at::zeros({rows, size}, at::kLong).scatter(1, target, batch.words);
  const int64_t kept = std::min(size, longest);
  return {.ids = ids.narrow(1, 0, kept),
          .words = sizes.narrow(1, 0, kept),
          .units = (batch.units + shift.select(1, count - 1)).clamp_max(kept),
          .question = batch.question};
}

std::vector<Story> stories_of(const data::StoryData& data) {
  std::vector<Story> stories;
  for (const data::StoryQuestion& each : data.questions) {
    stories.push_back({.sentences = each.story, .question = each.question});
  }
  return stories;
}

// The words of one sentence as units, or as one.
class UnitWriter {
 public:
  UnitWriter(const models::TrainedQuestionAnswerer& trained, StoryUnits& result)
      : tokenizer_(*trained.tokenizer), options_(trained.model->options()), result_(result) {}

  bool full() const { return result_.units.count() >= options_.transformer.max_length; }

  void add(const std::string& text, int64_t sentence) {
    text::Encoding words = tokenizer_.encode(text, text::Surround::kNo);
    std::vector<int32_t>& ids = result_.units.ids;
    if (options_.units == "sentences") {
      words.ids.resize(std::min(words.ids.size(), static_cast<size_t>(options_.max_unit_length)));
      ids.insert(ids.end(), words.ids.begin(), words.ids.end());
      result_.units.sizes.push_back(static_cast<int32_t>(words.ids.size()));
      result_.sources.push_back({sentence, {0, static_cast<uint32_t>(text.size())}});
      return;
    }
    for (size_t i = 0; i < words.ids.size() && !full(); ++i) {
      ids.push_back(words.ids[i]);
      result_.sources.push_back({sentence, words.offsets[i]});
    }
  }

 private:
  const text::Tokenizer& tokenizer_;
  const models::QuestionAnswererOptions& options_;
  StoryUnits& result_;
};

// What the questions of one file, or of several, add up to.
class StoryScores {
 public:
  void add(const std::string& answer, const std::string& expected, std::optional<double> loss) {
    answers_.add(answer, std::vector<std::string>{expected});
    if (!loss) return;
    loss_ += *loss;
    ++known_;
  }

  Metrics metrics() const {
    return {{"loss", loss_ / static_cast<double>(std::max<int64_t>(known_, 1))},
            {"exact_match", answers_.mean().exact},
            {"f1", answers_.mean().f1},
            {"questions", static_cast<double>(answers_.count())}};
  }

 private:
  metrics::AnswerScores answers_;
  double loss_ = 0;
  int64_t known_ = 0;  // questions whose answer is a class
};

EncodedQuestions encoded(const models::TrainedQuestionAnswerer& trained,
                         const std::vector<Story>& stories) {
  EncodedQuestions made;
  for (const Story& story : stories) made.add(story_units(trained, story).units);
  return made;
}

// Each answer by itself, with the number of its question: those of all may be too many to keep.
using TakeAnswer = std::function<void(size_t question, ClassAnswer answer)>;
void answer_each(const models::TrainedQuestionAnswerer& trained, const EncodedQuestions& questions,
                 const TakeAnswer& take, const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  const int64_t padding = trained.model->options().pad_token_id;
  const auto read = [&](const std::vector<int64_t>& numbers) {
    const at::Tensor logits = trained.model->forward(
        question_batch(chosen(questions.inputs, numbers), padding).to(device));
    const at::Tensor probabilities = logits.to(at::kCPU).to(at::kDouble).softmax(-1).contiguous();
    const auto classes = static_cast<size_t>(probabilities.size(1));
    const auto* row = probabilities.const_data_ptr<double>();
    for (const int64_t i : numbers) {
      take(static_cast<size_t>(i), {.label = std::max_element(row, row + classes) - row,
                                    .probabilities = {row, row + classes}});
      row += classes;
    }
  };
  const int64_t batch = kMostAnswers / std::max<int64_t>(std::ssize(trained.labels), 1);
  for_each_batch(questions.lengths, std::clamp<int64_t>(batch, 1, kQuestionsAtOnce), progress,
                 read);
}

// `questions` are those of the files of `data`.
QuestionEvaluation evaluate_encoded(const models::TrainedQuestionAnswerer& trained,
                                    const std::vector<data::StoryData>& data,
                                    const std::vector<EncodedQuestions>& questions,
                                    const Progress& progress) {
  ProgressInParts parts(progress, question_count(data));
  std::unordered_map<std::string, size_t> classes;
  for (size_t c = 0; c < trained.labels.size(); ++c) classes.emplace(trained.labels[c], c);
  StoryScores all;
  QuestionEvaluation evaluation;
  for (size_t f = 0; f < data.size(); ++f) {
    const std::vector<data::StoryQuestion>& asked = data[f].questions;
    StoryScores scores;
    const auto take = [&](size_t i, const ClassAnswer& found) {
      const std::string& expected = asked[i].answer;
      const auto known = classes.find(expected);
      std::optional<double> loss;
      if (known != classes.end()) {
        loss = -std::log(std::max(found.probabilities[known->second], 1e-300));
      }
      const std::string& name = trained.labels[static_cast<size_t>(found.label)];
      scores.add(name, expected, loss);
      all.add(name, expected, loss);
    };
    answer_each(trained, questions[f], take, parts.next(std::ssize(asked)));
    evaluation.files.push_back(scores.metrics());
  }
  evaluation.all = all.metrics();
  return evaluation;
}

}  // namespace

StoryUnits story_units(const models::TrainedQuestionAnswerer& trained, const Story& story) {
  StoryUnits result;
  UnitWriter writer(trained, result);
  writer.add(story.question, -1);
  if (result.units.ids.empty()) {
    throw DataError("the question", "expected at least one word, got none");
  }
  result.units.question = result.units.count();
  for (auto i = static_cast<int64_t>(story.sentences.size()) - 1; i >= 0 && !writer.full(); --i) {
    writer.add(story.sentences[static_cast<size_t>(i)], i);
  }
  return result;
}

CutTexts cut_texts(const models::TrainedQuestionAnswerer& trained,
                   const std::vector<Story>& stories) {
  const models::QuestionAnswererOptions& options = trained.model->options();
  const bool sentences = options.units == "sentences";
  CutCount units{
      .what = "questions with such stories",
      .all = std::ssize(stories),
      .limit = text_of(options.transformer.max_length, sentences ? " sentences" : " words",
                       ", the question among them (--max-length)")};
  CutCount words{
      .what = "questions with such sentences",
      .all = std::ssize(stories),
      .limit = text_of(options.max_unit_length, " words in a sentence (--max-unit-length)")};
  const auto size = [&](const std::string& text) {
    return std::ssize(trained.tokenizer->encode_ids(text, text::Surround::kNo));
  };
  for (const Story& story : stories) {
    int64_t count = sentences ? 1 : size(story.question);
    bool long_sentence = sentences && size(story.question) > options.max_unit_length;
    for (const std::string& sentence : story.sentences) {
      const int64_t length = size(sentence);
      count += sentences ? 1 : length;
      long_sentence = long_sentence || (sentences && length > options.max_unit_length);
    }
    if (count > options.transformer.max_length) ++units.cut;
    if (long_sentence) ++words.cut;
  }
  return CutTexts({units, words});
}

StoryQuestions::StoryQuestions(const data::StoryTrainingData& data,
                               const StoryQuestionsOptions& options, const Progress& progress)
    : options_(options), valid_(data.valid) {
  visit_fields(options, nn::FieldCheck());
  trained_.tokenizer = question_tokenizer(options.tokenizer, all_texts(data.train), progress);
  trained_.labels = all_answers(data.train);
  if (trained_.labels.size() < 2) {
    throw DataError(data.train.empty() ? "questions" : data.train.front().file,
                    text_of("expected questions with at least two different answers, got ",
                            trained_.labels.size()));
  }
  models::check_labels_fit(trained_.labels);
  models::QuestionAnswererOptions model = options.model;
  model.vocab_size = trained_.tokenizer->size();
  model.answers = "class";
  model.classes = static_cast<int64_t>(trained_.labels.size());
  model.pad_token_id = trained_.tokenizer->padding_id().value_or(-1);
  check_classes_fit(text_of(model.classes, " answers"), model.classes * model.transformer.d_model);
  trained_.model = std::make_shared<models::QuestionAnswerer>(model);

  for (const data::StoryData& file : data.train) {
    for (const data::StoryQuestion& each : file.questions) {
      train_.add(story_units(trained_, {each.story, each.question}).units);
      const auto place =
          std::lower_bound(trained_.labels.begin(), trained_.labels.end(), each.answer);
      answers_.push_back(static_cast<int32_t>(place - trained_.labels.begin()));
    }
  }
  std::vector<int64_t> counts(trained_.labels.size(), 0);
  for (const int32_t label : answers_) ++counts[static_cast<size_t>(label)];
  class_weights_ = class_weights(options.class_weight, counts);
  for (const data::StoryData& file : data.train) cut_ += cut_texts(trained_, stories_of(file));
  for (const data::StoryData& file : data.valid) {
    const std::vector<Story> stories = stories_of(file);
    cut_ += cut_texts(trained_, stories);
    valid_questions_.push_back(encoded(trained_, stories));
  }
}

std::vector<Source> StoryQuestions::sources() const {
  return {source_of("training data",
                    [&](Checksum& sum) {
                      add_inputs(sum, train_.inputs);
                      sum.add(answers_);
                    }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      for (const data::StoryData& file : valid_) {
                        for (const data::StoryQuestion& each : file.questions) {
                          sum.add(each.story);
                          sum.add(each.question);
                          sum.add(each.answer);
                        }
                      }
                    }),
          source_of("answers", [&](Checksum& sum) { sum.add(trained_.labels); }),
          source_of("tokenizer", *trained_.tokenizer)};
}

std::unique_ptr<StoryBatch> StoryQuestions::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<StoryBatch>(std::move(examples));
  batch->answers = at::empty({std::ssize(batch->examples)}, at::kLong);
  auto* answers = batch->answers.mutable_data_ptr<int64_t>();
  for (const int64_t number : batch->examples) {
    const auto example = static_cast<size_t>(number);
    *answers++ = answers_[example];
    batch->tokens += static_cast<int64_t>(train_.inputs[example].ids.size());
  }
  batch->stories = question_batch(chosen(train_.inputs, batch->examples),
                                  trained_.model->options().pad_token_id);
  return batch;
}

Loss StoryQuestions::loss_of(const StoryBatch& asked) {
  const models::QuestionAnswererOptions& model = trained_.model->options();
  models::QuestionBatch stories = asked.stories;
  if (options_.empty_share > 0 && model.units == "sentences") {
    stories = with_empty_units(stories, options_.empty_share, model.transformer.max_length);
  }
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits = trained_.model->forward(stories.to(device));
  const at::Tensor answers = asked.answers.to(device);
  return class_loss(logits, answers, class_weights_, /*label_smoothing=*/0, asked.tokens);
}

Metrics StoryQuestions::validate(const Progress& progress) {
  return evaluate_encoded(trained_, valid_, valid_questions_, progress).all;
}

void StoryQuestions::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<ClassAnswer> answer(const models::TrainedQuestionAnswerer& trained,
                                const std::vector<Story>& stories, const Progress& progress) {
  std::vector<ClassAnswer> answers(stories.size());
  answer_each(
      trained, encoded(trained, stories),
      [&](size_t i, ClassAnswer each) { answers[i] = std::move(each); }, progress);
  return answers;
}

QuestionEvaluation evaluate(const models::TrainedQuestionAnswerer& trained,
                            const std::vector<data::StoryData>& data, const Progress& progress) {
  std::vector<EncodedQuestions> questions;
  for (const data::StoryData& file : data) questions.push_back(encoded(trained, stories_of(file)));
  return evaluate_encoded(trained, data, questions, progress);
}

}  // namespace heed::tasks
