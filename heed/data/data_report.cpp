#include "heed/data/data_report.h"

#include "heed/base/error.h"
#include "heed/io/printable.h"

namespace heed::data {
namespace {

struct KindInfo {
  ProblemKind kind;
  ProblemSeverity severity;
  std::string_view name;
};

// docs/data.md holds the same table with its reasons.
constexpr std::array<KindInfo, kProblemKinds> kKinds = {{
    {ProblemKind::kNotUtf8, ProblemSeverity::kFatal, "not UTF-8"},
    {ProblemKind::kControlByte, ProblemSeverity::kFatal, "NUL byte"},
    {ProblemKind::kMalformedRow, ProblemSeverity::kFatal, "malformed row"},
    {ProblemKind::kColumnCount, ProblemSeverity::kFatal, "wrong number of columns"},
    {ProblemKind::kMissingText, ProblemSeverity::kFatal, "missing text"},
    {ProblemKind::kEmptyText, ProblemSeverity::kWarning, "empty text"},
    {ProblemKind::kMissingLabel, ProblemSeverity::kFatal, "missing label"},
    {ProblemKind::kUnknownLabel, ProblemSeverity::kFatal, "unknown label"},
    {ProblemKind::kNoExamples, ProblemSeverity::kFatal, "no examples"},
    {ProblemKind::kOneClass, ProblemSeverity::kFatal, "fewer than two classes"},
    {ProblemKind::kEmptyClass, ProblemSeverity::kFatal, "class without a training example"},
    {ProblemKind::kEmptyClassValid, ProblemSeverity::kWarning,
     "class without a validation example"},
    {ProblemKind::kRepeatedText, ProblemSeverity::kWarning,
     "validation text also in the training data"},
    {ProblemKind::kTwoLabels, ProblemSeverity::kWarning, "text under two labels"},
    {ProblemKind::kBadTag, ProblemSeverity::kFatal, "tag out of place"},
    {ProblemKind::kLineCount, ProblemSeverity::kFatal, "different numbers of lines"},
    {ProblemKind::kStoryOrder, ProblemSeverity::kFatal, "story out of order"},
    {ProblemKind::kAnswerPlace, ProblemSeverity::kFatal, "answer not in its place"},
    {ProblemKind::kLookAlike, ProblemSeverity::kWarning, "labels that look alike"},
}};

constexpr bool in_order() {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<size_t>(kKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_order());

constexpr size_t kLongestDetail = 1000;  // bytes

std::string shortened(std::string_view detail) {
  if (detail.size() <= kLongestDetail) return printable(detail);
  return printable(detail.substr(0, kLongestDetail)) + "...";
}

size_t index(ProblemKind kind) { return static_cast<size_t>(kind); }

}  // namespace

std::string_view name_of(ProblemKind kind) { return kKinds[index(kind)].name; }

ProblemSeverity severity_of(ProblemKind kind) { return kKinds[index(kind)].severity; }

void DataReport::add(ProblemKind kind, std::string_view file, int64_t line,
                     std::string_view detail) {
  Entry& entry = entries_[index(kind)];
  ++entry.count;
  if (entry.count > kKept) return;
  const std::string where = line > 0 ? text_of(file, ":", line) : std::string(file);
  entry.kept.push_back({printable(where), shortened(detail)});
}

int64_t DataReport::count(ProblemKind kind) const { return entries_[index(kind)].count; }

int64_t DataReport::fatal_count() const {
  int64_t count = 0;
  for (const KindInfo& info : kKinds) {
    if (info.severity == ProblemSeverity::kFatal) count += this->count(info.kind);
  }
  return count;
}

int64_t DataReport::warning_count() const {
  int64_t count = 0;
  for (const KindInfo& info : kKinds) {
    if (info.severity == ProblemSeverity::kWarning) count += this->count(info.kind);
  }
  return count;
}

const std::vector<DataProblem>& DataReport::examples(ProblemKind kind) const {
  return entries_[index(kind)].kept;
}

std::string DataReport::text() const {
  std::string text;
  for (const ProblemSeverity severity : {ProblemSeverity::kFatal, ProblemSeverity::kWarning}) {
    for (const KindInfo& info : kKinds) {
      const Entry& entry = entries_[index(info.kind)];
      if (info.severity != severity || entry.count == 0) continue;
      text += text_of(severity == ProblemSeverity::kFatal ? "error: " : "warning: ", info.name,
                      ": ", entry.count, entry.count == 1 ? " place\n" : " places\n");
      for (const DataProblem& problem : entry.kept) {
        text += text_of("  ", problem.where, ": ", problem.detail, "\n");
      }
      if (entry.count > kKept) text += text_of("  and ", entry.count - kKept, " more\n");
    }
  }
  return text;
}

void DataReport::throw_if_fatal() const {
  if (fatal_count() == 0) return;
  std::string message = text();
  message.pop_back();  // the last line break
  throw DataError("the data cannot be used:\n" + message);
}

}  // namespace heed::data
