// Files of training data. The first byte chooses a reader and an extension, the rest is the file.
#include <array>

#include "heed/data/texts/classification_data.h"
#include "heed/data/texts/ner_data.h"
#include "heed/data/texts/parallel_data.h"
#include "heed/data/texts/question_data.h"
#include "heed/data/texts/text_data.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::data;

void read(size_t reader, const std::filesystem::path& file, DataReport& report) {
  switch (reader) {
    case 0:
      return check_training_data(read_classification(file, {}, report), report);
    case 1:
      return void(read_classification(file, {.labels = Labels::kNone}, report));
    case 2:
      return void(read_classification(file, {.label_separator = ","}, report));
    case 3:
      return void(read_ner(file, {}, report));
    case 4:
      return void(read_ner(file, {.labels = Labels::kNone}, report));
    case 5:
      return void(read_parallel({.source = file}, {}, report));
    case 6:
      return void(read_stories(file, report));
    case 7:
      return void(read_spans(file, Answers::kRequired, report));
    default:
      return void(read_text({.train = {file}}, {}, report));
  }
}

}  // namespace

void one(std::string_view input) {
  constexpr size_t kReaders = 9;
  static const std::array<ScratchFile, 5> files = {ScratchFile("a.txt"), ScratchFile("a.tsv"),
                                                   ScratchFile("a.csv"), ScratchFile("a.jsonl"),
                                                   ScratchFile("a.json")};
  if (input.empty()) return;
  const auto choice = static_cast<uint8_t>(input.front());
  const ScratchFile& file = files[choice / kReaders % files.size()];
  file.write(input.substr(1));
  DataReport report;
  read(choice % kReaders, file.path(), report);
  expect(report.text().size() < 1 << 20);
}

}  // namespace heed::fuzz
