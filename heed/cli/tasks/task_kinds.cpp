// The tasks: what other commands know of each (a file in tasks/), and how it is trained (one in
// commands/). A new task is two declarations and a line here.
#include <algorithm>

#include "heed/cli/command.h"
#include "heed/cli/task_kind.h"

namespace heed::cli {

TaskKind text_classification();
Command train_classify_command();
TaskKind entity_recognition();
Command train_ner_command();
TaskKind language_modeling();
Command train_lm_command();
TaskKind sequence_to_sequence();
Command train_seq2seq_command();
TaskKind question_answering();
Command train_qa_command();
TaskKind forecasting();
Command train_forecast_command();
TaskKind text_embedding();
Command train_embed_command();
TaskKind gap_filling();
TaskKind recommendation();
Command train_recommend_command();
TaskKind node_classification();
Command train_graph_command();
TaskKind table_learning();
Command train_table_command();
TaskKind speech_classification();
Command train_speech_command();
TaskKind speech_recognition();
Command train_asr_command();
TaskKind speech_to_text();
TaskKind image_classification();
Command train_image_command();
TaskKind object_detection();
Command train_detect_command();
TaskKind link_prediction();
Command train_links_command();
TaskKind image_generation();
Command train_image_generation_command();

namespace {

struct ListedTask {
  TaskKind (*kind)();
  Command (*train)();  // null: published models alone do it
};

constexpr ListedTask kTasks[] = {
    {text_classification, train_classify_command},
    {entity_recognition, train_ner_command},
    {language_modeling, train_lm_command},
    {sequence_to_sequence, train_seq2seq_command},
    {question_answering, train_qa_command},
    {forecasting, train_forecast_command},
    {text_embedding, train_embed_command},
    {gap_filling, nullptr},
    {recommendation, train_recommend_command},
    {node_classification, train_graph_command},
    {table_learning, train_table_command},
    {speech_classification, train_speech_command},
    {speech_recognition, train_asr_command},
    {speech_to_text, nullptr},
    {image_classification, train_image_command},
    {object_detection, train_detect_command},
    {link_prediction, train_links_command},
    {image_generation, train_image_generation_command},
};

}  // namespace

const std::vector<TaskKind>& task_kinds() {
  static const std::vector<TaskKind> all = [] {
    std::vector<TaskKind> kinds;
    for (const ListedTask& task : kTasks) kinds.push_back(task.kind());
    return kinds;
  }();
  return all;
}

std::vector<Command> train_commands() {
  std::vector<Command> listed;
  for (const ListedTask& task : kTasks) {
    if (task.train != nullptr) listed.push_back(task.train());
  }
  std::sort(listed.begin(), listed.end(),
            [](const Command& a, const Command& b) { return a.path < b.path; });
  return listed;
}

}  // namespace heed::cli
