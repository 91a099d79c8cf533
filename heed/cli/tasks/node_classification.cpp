// What a graph attention network says of nodes, and how well.
#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/options/graph_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/node_attention.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/cli/writing/graph_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"

namespace heed::cli {
namespace {

// --nodes-of of `heed eval`.
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
  bool errors = false;

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

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& /*progress*/) const override {
    check_usage(files.size() == 1, "a graph: expected one file of nodes, got ", files.size());
    const data::GraphData data = read(files[0], data::Labels::kRequired);
    const auto evaluation = tasks::evaluate(trained_, data, options_.part.of(data));
    TaskEvaluation result = evaluation_of(evaluation.model, trained_.labels);
    result.details.update(graph_details(evaluation));
    result.report += "\n" + graph_report(evaluation);
    if (options_.errors) result.wrong = wrong_of(data, evaluation);
    return result;
  }

  DoctorExamples doctor_examples(const std::vector<std::string>& /*files*/) const override {
    return graph_doctor_examples();
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::GraphData data = options_.reading.read_good_rows(
        file, options_.table, options_.rows, tasks::read_options_of(trained_, data::Labels::kNone),
        answers.report());
    if (data.nodes.empty()) return;
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

  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const data::GraphData data = read(options_.nodes.required(), data::Labels::kNone);
    const auto node =
        std::find(data.nodes.begin(), data.nodes.end(), argument) - data.nodes.begin();
    NodeScore score;
    if (request.gradients) score = [node](const at::Tensor& nodes) { return nodes[node].amax(); };
    AttentionView view = node_attention(trained_, data, argument, score);
    const at::Tensor answer = tasks::probabilities(trained_, data)[node];
    const auto best = answer.argmax().item<int64_t>();
    view.title += ": " + answer_title(trained_.labels[static_cast<size_t>(best)],
                                      answer[best].item<double>());
    draw_around_node(view);
    return view;
  }

 private:
  std::vector<TaskEvaluation::Wrong> wrong_of(const data::GraphData& data,
                                              const tasks::NodeEvaluation& evaluation) const {
    std::vector<int32_t> classes;
    std::vector<std::string> names;
    for (const int64_t node : evaluation.nodes) {
      classes.push_back(data.classes[static_cast<size_t>(node)]);
      names.push_back(data.nodes[static_cast<size_t>(node)]);
    }
    return wrong_classes(evaluation.probabilities, classes, names, trained_.labels);
  }

  data::GraphData read(const std::string& nodes, data::Labels labels) const {
    return options_.reading.read(nodes, options_.table, options_.rows,
                                 tasks::read_options_of(trained_, labels));
  }

  models::TrainedGraphClassifier trained_;
  GraphOptions options_;
};

TaskLoader define_node_classification(TaskOptions& options, Use use) {
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
  const ErrorsOption* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
  return loader_of<GraphAdapter>(
      [&reading, &rows, &table, nodes, part, errors] {
        GraphOptions given{.reading = reading, .rows = rows, .table = table};
        if (nodes != nullptr) given.nodes = *nodes;
        if (part != nullptr) given.part = *part;
        if (errors != nullptr) given.errors = errors->wanted();
        return given;
      },
      models::load_graph_classifier);
}

}  // namespace

TaskKind node_classification() {
  return {
      .model_type = "heed_graph_classifier", .name = "graph", .define = define_node_classification};
}

}  // namespace heed::cli
