// What a graph attention network says of nodes, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/graph_report.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields.h"

namespace heed::cli {
namespace {

// --nodes of `heed attend`, whose argument is a node.
struct NodesOption {
  std::string nodes;

  void add_to(Options& options) {
    options.add("--nodes", nodes, "Of a graph: the table of the nodes, one of which is the text")
        .group("Graph");
  }
};

// --part of `heed eval`.
struct PartOption {
  std::string part = "auto";

  void add_to(Options& options) {
    options
        .add("--nodes-of", part,
             "Of a graph: which nodes are measured; auto: those that test, where the table says so")
        .one_of({"auto", "all", "train", "valid", "test"})
        .group("Graph");
  }
  data::Part of(const data::GraphData& data) const {
    if (part == "train") return data::Part::kTrain;
    if (part == "valid") return data::Part::kValid;
    const bool has_test =
        std::find(data.parts.begin(), data.parts.end(), data::Part::kTest) != data.parts.end();
    return part == "test" || (part == "auto" && has_test) ? data::Part::kTest : data::Part::kNone;
  }
};

struct GraphOptions {
  GraphReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};
  NodesOption nodes = {};
  PartOption part = {};

  void check() const { table.parsed(); }
};

class GraphAdapter final : public TaskAdapter {
 public:
  GraphAdapter(models::TrainedGraphClassifier trained, GraphOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    OrderedJson columns = OrderedJson::array();
    for (const auto& each : trained_.features) columns.push_back(each.name);
    return models::with_fields({{"labels", trained_.labels}, {"features", columns}},
                               trained_.model->options());
  }

  Evaluation evaluate(const std::vector<std::string>& files,
                      const tasks::Progress& /*progress*/) const override {
    check_usage(files.size() == 1, "a graph: expected one file of nodes, got ", files.size());
    const data::GraphData data = read(files[0]);
    const auto evaluation = tasks::evaluate(trained_, data, options_.part.of(data));
    Evaluation result = evaluation_of(evaluation.model, trained_.labels);
    result.details.update(graph_details(evaluation));
    result.report += "\n" + graph_report(evaluation);
    return result;
  }

  DoctorExamples doctor_examples(const std::vector<std::string>& /*files*/) const override {
    return {.not_checked = {{"attention",
                             "a node looks along its edges alone, whose weights stand nowhere as a "
                             "matrix; heed attend shows those of a node"},
                            {"padding", "a graph is read whole, without padding"}}};
  }

  void predict(const std::string& file, Answers& answers) const override {
    const data::GraphData data = read(file);
    const at::Tensor all = tasks::probabilities(trained_, data).contiguous();
    const auto* row = all.const_data_ptr<float>();
    const auto classes = std::ssize(trained_.labels);
    for (const std::string& node : data.nodes) {
      const auto best = std::max_element(row, row + classes) - row;
      const std::string& label = trained_.labels[static_cast<size_t>(best)];
      OrderedJson shares = OrderedJson::object();
      for (int64_t c = 0; c < classes; ++c)
        shares[trained_.labels[static_cast<size_t>(c)]] = row[c];
      answers.add(data.file, {{"node", node}},
                  {.line = printable(node) + '\t' + answer_line(label, row[best]),
                   .json = {{"node", node},
                            {"label", label},
                            {"probability", row[best]},
                            {"probabilities", std::move(shares)}}});
      row += classes;
    }
  }

  // Of one node, over those that it attends to: the mean over the heads of each layer.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& /*request*/) const override {
    const c10::InferenceMode inference;
    check_usage(!options_.nodes.nodes.empty(), "a graph: expected --nodes, the table of the nodes");
    const data::GraphData data = read(options_.nodes.nodes);
    const auto at = std::find(data.nodes.begin(), data.nodes.end(), argument);
    if (at == data.nodes.end()) {
      throw DataError(data.file, text_of("there is no node ", printable(argument)));
    }
    const int64_t node = at - data.nodes.begin();
    const tasks::Neighbours seen = tasks::neighbours_of(data, trained_.model->options().directed);
    const std::vector<int64_t> keys(
        seen.nodes.begin() + seen.offsets[static_cast<size_t>(node)],
        seen.nodes.begin() + seen.offsets[static_cast<size_t>(node) + 1]);
    const nn::SparseRows features = tasks::sparse_rows(data, trained_.features);
    const Pattern edges = tasks::pattern_of(seen);
    const at::Tensor answer = at::softmax(trained_.model->forward(features, edges)[node], 0);
    const auto best = answer.argmax().item<int64_t>();
    AttentionView view{.title = printable(argument) + ": " +
                                answer_title(trained_.labels[static_cast<size_t>(best)],
                                             answer[best].item<double>())};
    view.queries = {argument};
    for (const int64_t key : keys) view.keys.push_back(data.nodes[static_cast<size_t>(key)]);
    // (layers, 1, N) -> (layers, 1, 1, neighbours)
    view.weights = trained_.model->weights(features, edges, {node})
                       .index_select(2, at::tensor(keys))
                       .unsqueeze(1);
    return view;
  }

 private:
  data::GraphData read(const std::string& nodes) const {
    return options_.reading.read(nodes, options_.table, options_.rows,
                                 tasks::columns_of(trained_.features), trained_.labels);
  }

  models::TrainedGraphClassifier trained_;
  GraphOptions options_;
};

TaskLoader define(TaskOptions& options, Use use) {
  if (use == Use::kInspect) {
    return loader_of<GraphAdapter>([] { return GraphOptions(); }, models::load_graph_classifier);
  }
  const auto& reading = options.use<GraphReading>();
  if (use == Use::kDoctor) {
    return loader_of<GraphAdapter>([&reading] { return GraphOptions{.reading = reading}; },
                                   models::load_graph_classifier);
  }
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table =
      options.use<ReadingOptions>({"label-column", "delimiter", "encoding", "max-bytes"});
  const NodesOption* nodes = use == Use::kAttend ? &options.use<NodesOption>() : nullptr;
  const PartOption* part = use == Use::kEval ? &options.use<PartOption>() : nullptr;
  return loader_of<GraphAdapter>(
      [&reading, &rows, &table, nodes, part] {
        GraphOptions given{.reading = reading, .rows = rows, .table = table};
        if (nodes != nullptr) given.nodes = *nodes;
        if (part != nullptr) given.part = *part;
        return given;
      },
      models::load_graph_classifier);
}

}  // namespace

TaskKind node_classification() {
  return {.model_type = "heed_graph_classifier", .name = "graph", .define = define};
}

}  // namespace heed::cli
