// Data as the checks see it, whatever the task: splits of texts, each with what is to be learned of
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/texts/classification_data.h"

namespace heed::doctor {

struct Sample {
  std::string text;
  std::string target = {};           // of pairs
  std::vector<int32_t> labels = {};  // indices into Data::labels, in order
  uint32_t file = 0;                 // index into Split::files
  int64_t line = 0;
};

struct Split {
  std::string name;  // "train"
  std::vector<std::string> files = {};
  std::vector<Sample> samples = {};

  std::string where(const Sample& sample) const;  // "train.tsv:12"; without a line the file alone
};

struct Data {
  std::vector<Split> splits;        // the first is what is trained on
  std::vector<std::string> labels;  // empty: there are none
  bool several_labels = false;      // a text may have any number of them
  data::DataReport reading = {};    // what the readers refused
};

enum class DataTask : uint8_t { kAuto, kClassify, kNer, kPairs, kText };

struct SplitFiles {
  std::string name;
  std::vector<std::filesystem::path> files;
};

// Reads the splits as training would. kAuto: kNer for CoNLL columns, kPairs where a table or JSON
// has a source and a target, kText for plain lines that begin with no label, kClassify otherwise.
// Of kText each line is a sample; of kNer a sentence, its tags being labels. Throws as the readers
// of heed/data do.
Data read_samples(const std::vector<SplitFiles>& splits, DataTask task,
                  const data::ReadOptions& options);

// Which of split.files this one is; it is added where it is not the last one.
uint32_t file_index(Split& split, const std::string& file);

// What texts are compared by: letters and digits in lower case, a blank between words.
std::string bare_text(std::string_view text);

// The first part of a text, for an example: one line.
std::string beginning(std::string_view text);

}  // namespace heed::doctor
