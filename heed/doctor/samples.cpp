#include "heed/doctor/samples.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/rows.h"
#include "heed/data/texts/ner_data.h"
#include "heed/data/texts/parallel_data.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"

namespace heed::doctor {
namespace {

void read_classes(Split& split, const std::vector<std::filesystem::path>& files,
                  const data::ReadOptions& options, Data& all) {
  data::ReadOptions reading = options;
  reading.label_names = all.labels;
  data::ClassificationData read = data::read_classification(files, reading, all.reading);
  split.files = read.files;
  if (all.labels.empty()) all.labels = read.label_names;
  for (data::Example& example : read.examples) {
    Sample& sample = split.samples.emplace_back();
    sample.text = std::move(example.text);
    sample.labels = example.label ? std::vector<int32_t>{*example.label} : example.labels;
    sample.file = example.file;
    sample.line = example.line;
  }
}

// The types of entities of a sentence are its labels.
void read_entities(Split& split, const std::vector<std::filesystem::path>& files,
                   const data::ReadOptions& options, Data& all) {
  const data::NerData read =
      data::read_ner(files,
                     {.format = options.format,
                      .encoding = options.encoding,
                      .word_column = data::word_column_of(options.text_column),
                      .limits = options.limits},
                     all.reading);
  for (const data::NerSentence& sentence : read.sentences) {
    Sample& sample = split.samples.emplace_back();
    sample.text = joined(sentence.words, " ");
    for (const std::string& tag : sentence.tags) {
      if (tag.size() < 3) continue;
      const std::string type = tag.substr(2);
      auto found = std::find(all.labels.begin(), all.labels.end(), type);
      if (found == all.labels.end()) found = all.labels.insert(found, type);
      sample.labels.push_back(static_cast<int32_t>(found - all.labels.begin()));
    }
    std::sort(sample.labels.begin(), sample.labels.end());
    sample.labels.erase(std::unique(sample.labels.begin(), sample.labels.end()),
                        sample.labels.end());
    sample.file = file_index(split, sentence.file);
    sample.line = sentence.line;
  }
}

void read_pairs(Split& split, const std::vector<std::filesystem::path>& files,
                const data::ReadOptions& options, Data& all) {
  data::ParallelData read =
      data::read_parallel_files(files,
                                {.format = options.format,
                                 .delimiter = options.delimiter,
                                 .header = options.header,
                                 .encoding = options.encoding,
                                 .source_column = options.text_column,
                                 .target_column = options.label_column,
                                 .known_source_column = options.known_text_column,
                                 .known_target_column = options.known_label_column,
                                 .limits = options.limits},
                                all.reading);
  for (data::TextPair& pair : read.pairs) {
    Sample& sample = split.samples.emplace_back();
    sample.text = std::move(pair.source);
    sample.target = std::move(pair.target);
    sample.file = file_index(split, pair.file);
    sample.line = pair.line;
  }
}

void read_lines(Split& split, const std::vector<std::filesystem::path>& files,
                const data::ReadOptions& options, Data& all) {
  for (const std::filesystem::path& file : files) {
    data::TextLines lines(file, {.encoding = options.encoding, .limits = options.limits},
                          all.reading);
    std::string line;
    while (lines.next(line)) {
      if (trimmed(line).empty()) continue;
      Sample& sample = split.samples.emplace_back();
      sample.file = file_index(split, lines.file());
      sample.line = lines.line_number();
      sample.text = std::move(line);
    }
  }
}

bool holds(std::span<const std::string_view> names, const std::string& name) {
  const std::string lower = data::lower_case_of(trimmed(name));
  return std::find(names.begin(), names.end(), lower) != names.end();
}

// Whether the first row has a column for a target and none for a label.
bool has_pairs(data::TextLines& lines, const data::FileLayout& kind) {
  using data::Format;
  std::vector<std::string> names;
  if (kind.format == Format::kTsv || kind.format == Format::kCsv) {
    data::Row row;
    if (data::rows_of(lines, kind)->next(row)) names = row.cells;
  } else if (kind.format == Format::kJsonl) {
    std::string line;
    if (!lines.next(line)) return false;
    const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return false;
    for (const auto& [name, value] : object.items()) names.push_back(name);
  }
  using Names = std::span<const std::string_view>;
  const auto any = [&](Names usual, Names other) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return holds(usual, name) && !holds(other, name);
    });
  };
  // "text" and "target" may also be a text and its label: one of the two names must be plain.
  const Names sources = data::usual_source_names(), targets = data::usual_target_names();
  return (any(sources, data::usual_text_names()) && any(targets, {})) ||
         (any(sources, {}) && any(targets, data::usual_label_names()));
}

// Whether plain lines begin with few different words, as labels are.
bool begins_with_labels(data::TextLines& lines) {
  constexpr int64_t kLooked = 1000;
  std::map<std::string, int64_t> first_words;
  int64_t count = 0;
  for (std::string line; count < kLooked && lines.next(line);) {
    if (trimmed(line).empty()) continue;
    ++count;
    ++first_words[line.substr(0, line.find_first_of(" \t"))];
  }
  return std::ssize(first_words) <= std::max<int64_t>(2, count / 10);
}

DataTask task_of(const std::filesystem::path& file, const data::ReadOptions& options) {
  data::DataReport ignored;
  data::TextLines lines(file, {.encoding = options.encoding}, ignored);
  const data::FileLayout kind = lines.kind(options.format, options.delimiter);
  switch (kind.format) {
    case data::Format::kConll:
      return DataTask::kNer;
    case data::Format::kLabelText:
      return DataTask::kClassify;
    case data::Format::kText:
      return begins_with_labels(lines) ? DataTask::kClassify : DataTask::kText;
    default:
      return has_pairs(lines, kind) ? DataTask::kPairs : DataTask::kClassify;
  }
}

}  // namespace

std::string Split::where(const Sample& sample) const {
  return sample.line > 0 ? text_of(files[sample.file], ":", sample.line) : files[sample.file];
}

uint32_t file_index(Split& split, const std::string& file) {
  if (split.files.empty() || split.files.back() != file) split.files.push_back(file);
  return static_cast<uint32_t>(split.files.size() - 1);
}

Data read_samples(const std::vector<SplitFiles>& splits, DataTask task,
                  const data::ReadOptions& options) {
  check_usage(!splits.empty() && !splits.front().files.empty(), "expected at least one file");
  if (task == DataTask::kAuto) task = task_of(splits.front().files.front(), options);
  Data all;
  all.several_labels = task == DataTask::kNer || !options.label_separator.empty();
  for (const SplitFiles& files : splits) {
    if (files.files.empty()) continue;
    Split& split = all.splits.emplace_back();
    split.name = files.name;
    const auto read = task == DataTask::kNer     ? read_entities
                      : task == DataTask::kPairs ? read_pairs
                      : task == DataTask::kText  ? read_lines
                                                 : read_classes;
    read(split, files.files, options, all);
  }
  return all;
}

std::string bare_text(std::string_view text) {
  std::string bare;
  bool blank = false;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const bool kept =
        c < 0x80 ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                 : text::is_word_character(c);
    if (!kept) {
      blank = true;
      continue;
    }
    if (blank && !bare.empty()) bare += ' ';
    blank = false;
    if (c < 0x80) {
      bare += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    } else {
      append_utf8(text::lower_case(c), bare);
    }
  }
  return bare;
}

std::string beginning(std::string_view text) { return excerpt(text, 70); }

}  // namespace heed::doctor
