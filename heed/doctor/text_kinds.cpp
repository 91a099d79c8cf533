// Texts: with labels, words with tags, pairs and plain ones.
#include "heed/doctor/data_kind.h"

namespace heed::doctor {
namespace {

void check_texts(const DataToCheck& asked, DataTask task, Report& report) {
  const Data data = read_samples(asked.splits, task, asked.reading);
  begin_report(data, report);
  check_columns(asked.splits, asked.reading, report);
  check_duplicates(data, report);
  check_balance(data, report);
  check_lengths(data, asked.lengths, report);
  check_characters(data, report);
  check_pairs(data, report);
  if (asked.quick_model) check_labels(data, report);
}

template <DataTask task>
void check_as(const DataToCheck& asked, Report& report) {
  check_texts(asked, task, report);
}

}  // namespace

std::vector<DataKind> text_kinds() {
  // What is sure of nothing else is texts, whose files tell which.
  const auto always = [](const DataToCheck&) { return true; };
  return {{.task = "classify", .check = check_as<DataTask::kClassify>},
          {.task = "ner", .check = check_as<DataTask::kNer>},
          {.task = "seq2seq", .check = check_as<DataTask::kPairs>},
          {.task = "lm", .check = check_as<DataTask::kText>},
          {.task = "auto", .is = always, .check = check_as<DataTask::kAuto>}};
}

}  // namespace heed::doctor
