// The tasks that trained models may have: a declaration and a line each.
#include "heed/cli/task_kind.h"

namespace heed::cli {

TaskKind entity_recognition();
TaskKind forecasting();
TaskKind gap_filling();
TaskKind image_classification();
TaskKind image_generation();
TaskKind language_modeling();
TaskKind link_prediction();
TaskKind node_classification();
TaskKind object_detection();
TaskKind question_answering();
TaskKind recommendation();
TaskKind sequence_to_sequence();
TaskKind table_learning();
TaskKind speech_classification();
TaskKind speech_recognition();
TaskKind text_classification();
TaskKind text_embedding();

const std::vector<TaskKind>& task_kinds() {
  static const std::vector<TaskKind> all = {
      text_classification(), entity_recognition(),   language_modeling(), sequence_to_sequence(),
      question_answering(),  forecasting(),          text_embedding(),    gap_filling(),
      recommendation(),      node_classification(),  table_learning(),    speech_classification(),
      speech_recognition(),  image_classification(), object_detection(),  link_prediction(),
      image_generation(),
  };
  return all;
}

}  // namespace heed::cli
