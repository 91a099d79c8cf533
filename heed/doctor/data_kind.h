// The kinds of data that the doctor knows, each as a `heed train TASK` reads it: a file x_kind.cpp
// and a line in data_kinds() each.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "heed/doctor/checks.h"
#include "heed/doctor/finding.h"
#include "heed/doctor/samples.h"

namespace heed::doctor {

struct DataToCheck {
  std::vector<SplitFiles> splits;  // the first is what is trained on; all have files
  data::ReadOptions reading = {};
  LengthOptions lengths = {};
  bool quick_model = true;           // look for wrong labels, too
  std::string target = {};           // of tables: the column that is to be told
  std::filesystem::path edges = {};  // of graphs

  data::OpenTableOptions table() const {  // how a table is read
    return {.encoding = reading.encoding, .delimiter = reading.delimiter, .limits = reading.limits};
  }
};

struct DataKind {
  std::string task;  // as `heed train` has it
  // Whether the data is surely of this kind; null: only its task's name says so.
  bool (*is)(const DataToCheck& data) = nullptr;
  // Throws as the readers of heed/data do.
  void (*check)(const DataToCheck& data, Report& report) = nullptr;
};

// In the order in which they are asked; where none is sure, it is texts.
std::vector<DataKind> data_kinds();

// "auto" and the tasks.
std::vector<std::string> task_names();

// Throws UsageError for a task that is none of these, and as the readers of heed/data do.
Report examine_data(const DataToCheck& data, std::string_view task);

// Whether the first file is called so, or is a folder with such a file in it or in a folder of it.
bool has_files(const DataToCheck& data, bool (*called_so)(const std::filesystem::path& file));

// What all kinds begin with: how many samples there are, and what the readers found.
void begin_report(const Data& data, Report& report);

// The kinds.
DataKind questions_kind();
DataKind tables_kind();
DataKind images_kind();
DataKind sounds_kind();
DataKind transcripts_kind();
DataKind series_kind();
DataKind graphs_kind();
DataKind interactions_kind();
std::vector<DataKind> text_kinds();

}  // namespace heed::doctor
