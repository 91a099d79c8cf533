// Files of training data. The first byte chooses a reader and an extension, the rest is the file.
#include <array>
#include <map>

#include "heed/data/graphs/graph_data.h"
#include "heed/data/interactions/interaction_data.h"
#include "heed/data/series/series_data.h"
#include "heed/data/tables/table_data.h"
#include "heed/data/texts/classification_data.h"
#include "heed/data/texts/ner_data.h"
#include "heed/data/texts/parallel_data.h"
#include "heed/data/texts/question_data.h"
#include "heed/data/texts/text_data.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {
namespace {

using namespace heed::data;

// What belongs to the file that is made up.
const std::filesystem::path& other_of_graph(const std::string& name, std::string_view content) {
  static std::map<std::string, ScratchFile> files;
  const auto [at, is_new] = files.try_emplace(name, name + ".csv");
  if (is_new) at->second.write(content);
  return at->second.path();
}

// `edges` of `nodes`, every end one of its nodes.
void read_whole_graph(const std::filesystem::path& nodes, const std::filesystem::path& edges,
                      DataReport& report) {
  const GraphData graph = read_graph(nodes, edges, {}, report);
  for (const auto& [source, target] : graph.edges) {
    expect(source >= 0 && source < std::ssize(graph.nodes));
    expect(target >= 0 && target < std::ssize(graph.nodes));
  }
}

void read_whole_series(const std::filesystem::path& file, DataReport& report) {
  const SeriesData series = read_series(file, {.limits = {.most_bytes = 1 << 28}}, report);
  expect(std::ssize(series.values) == series.length() * std::ssize(series.names));
  if (series.length() > 0) series.time_of(series.length());
}

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
    case 8:
      return void(read_text({.train = {file}}, {}, report));
    case 9:
      return void(read_interactions(file, {}, report));
    case 10:
      return void(read_table({file}, {.target = "label"}, report));
    case 11:
      return read_whole_graph(file, other_of_graph("edges", "a,b\nb,c\n"), report);
    case 12:
      return read_whole_graph(other_of_graph("nodes", "node,label\na,x\nb,y\n"), file, report);
    default:
      return read_whole_series(file, report);
  }
}

}  // namespace

void one(std::string_view input) {
  constexpr size_t kReaders = 14;
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
