// What a graph attention network says of pairs of nodes, and how well.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/node_attention.h"
#include "heed/cli/writing/link_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/graph/graph_tensors.h"
#include "heed/tasks/graph/link_prediction.h"

namespace heed::cli {
namespace {

struct LinkOptions {
  GraphReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};
  NodesOption nodes = {};

  void check() const { table.parsed(); }
};

class LinkAdapter final : public TaskAdapter {
 public:
  LinkAdapter(models::TrainedGraphClassifier trained, LinkOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    OrderedJson columns = OrderedJson::array();
    for (const auto& each : trained_.features) columns.push_back(each.name);
    return models::with_fields({{"features", columns}}, trained_.model->options());
  }

  // The pairs of the file are linked; as many that are not are drawn.
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& /*progress*/) const override {
    check_usage(files.size() == 1, "links: expected one file of pairs, got ", files.size());
    const data::GraphData data = read();
    data::DataReport report;
    tasks::LinkPairs pairs{.linked = read_pairs(files[0], data, report), .others = {}};
    throw_or_warn(report);
    tasks::NodePairs known = data.edges;
    known.insert(known.end(), pairs.linked.begin(), pairs.linked.end());
    pairs.others = tasks::pairs_without_edge(data, known, pairs.linked.size(), /*seed=*/1);
    const auto evaluation = tasks::evaluate(trained_, data, pairs);
    return {.metrics = evaluation.model,
            .details = link_details(evaluation),
            .report = link_report(evaluation)};
  }

  DoctorExamples doctor_examples(const std::vector<std::string>& /*files*/) const override {
    return graph_doctor_examples();
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::GraphData data = options_.reading.read_good_rows(
        options_.nodes.required(), options_.table, options_.rows,
        tasks::read_options_of(trained_, data::Labels::kNone), answers.report());
    const tasks::NodePairs pairs = read_pairs(file, data, answers.report());
    if (pairs.empty()) return;
    const std::vector<float> scores = tasks::link_scores(trained_, data, pairs);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const std::string& source = data.nodes[static_cast<size_t>(pairs[i].first)];
      const std::string& target = data.nodes[static_cast<size_t>(pairs[i].second)];
      const double probability = 1 / (1 + std::exp(-static_cast<double>(scores[i])));
      answers.add(
          file, {{"source", source}, {"target", target}},
          {.line = printable(source) + '\t' + printable(target) + formatted("\t%.4f", probability),
           .json = {{"source", source}, {"target", target}, {"probability", probability}}});
    }
  }

  // Around a node; of two with a tab between them around the first, and how likely they are linked:
  // asked as if no edge between them were known.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    data::GraphData data = read();
    const size_t tab = argument.find('\t');
    if (tab == std::string::npos) {
      AttentionView view = node_attention(trained_, data, argument);
      draw_around_node(view);
      return view;
    }
    const std::string source = argument.substr(0, tab);
    const std::string target = argument.substr(tab + 1);
    const int32_t from = number_of(source, data);
    const int32_t to = number_of(target, data);
    std::erase_if(data.edges, [&](const auto& edge) {
      return edge == std::pair(from, to) || edge == std::pair(to, from);
    });
    NodeScore logit;
    if (request.gradients) {
      logit = [from, to](const at::Tensor& nodes) { return nodes[from].dot(nodes[to]); };
    }
    AttentionView view = node_attention(trained_, data, source, logit);
    const double score = tasks::link_scores(trained_, data, {{from, to}})[0];
    const double probability = 1 / (1 + std::exp(-score));
    view.title += " is linked to " + answer_title(printable(target), probability);
    view.details = {{"source", source}, {"target", target}, {"probability", probability}};
    draw_around_node(view);
    return view;
  }

 private:
  data::GraphData read() const {
    return options_.reading.read(options_.nodes.required(), options_.table, options_.rows,
                                 tasks::read_options_of(trained_, data::Labels::kNone));
  }

  static int32_t number_of(const std::string& node, const data::GraphData& data) {
    const auto at = std::find(data.nodes.begin(), data.nodes.end(), node);
    if (at == data.nodes.end()) {
      throw DataError(data.file, text_of("there is no node ", printable(node)));
    }
    return static_cast<int32_t>(at - data.nodes.begin());
  }

  tasks::NodePairs read_pairs(const std::string& file, const data::GraphData& data,
                              data::DataReport& report) const {
    int64_t left_out = 0;
    tasks::NodePairs pairs = data::read_pairs(
        file, data, open_table_options(options_.table, options_.rows), report, left_out);
    say_count(file, left_out, kRowsLeftOut);
    return pairs;
  }

  models::TrainedGraphClassifier trained_;
  LinkOptions options_;
};

TaskLoader define_link_prediction(TaskOptions& options, Use use) {
  if (use == Use::kInspect) {
    return loader_of<LinkAdapter>([] { return LinkOptions(); }, models::load_link_predictor);
  }
  const auto& reading = options.use<GraphReading>();
  const auto& nodes = options.use<NodesOption>();
  if (use == Use::kDoctor) {
    return loader_of<LinkAdapter>([&] { return LinkOptions{.reading = reading, .nodes = nodes}; },
                                  models::load_link_predictor);
  }
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  return loader_of<LinkAdapter>(
      [&] { return LinkOptions{.reading = reading, .rows = rows, .table = table, .nodes = nodes}; },
      models::load_link_predictor);
}

}  // namespace

TaskKind link_prediction() {
  return {.model_type = "heed_link_predictor", .name = "links", .define = define_link_prediction};
}

}  // namespace heed::cli
