// What a classifier of pictures says, how well, and where it looks.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/picture_input.h"
#include "heed/cli/tasks/picture_view.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/image/image_classification.h"

namespace heed::cli {
namespace {

struct ImageOptions {
  PictureInput input = {};
  AnswerChoice choice = {};
  bool errors = false;
  bool judgements = false;  // of each picture, which evaluation gives then

  void check() const { input.check(); }
};

// What the reading token gives each patch, the mean over these heads: (rows · columns).
at::Tensor read_patches(const AttentionView& view, int64_t layer,
                        const std::vector<int64_t>& heads) {
  at::Tensor sum;
  for (const int64_t head : heads) {
    const at::Tensor row = view.matrix(layer, head)[0].slice(0, 1);
    sum = sum.defined() ? sum + row : row;
  }
  return sum / static_cast<double>(heads.size());
}

at::Tensor rollout_of(const AttentionView& view, const models::ImageClassifierOptions& o) {
  std::vector<at::Tensor> layers;
  for (int64_t layer = 0; layer < view.layer_count(); ++layer) {
    layers.push_back(view.mean(layer).unsqueeze(0));
  }
  return tasks::patch_rollout(layers, models::patch_grid(o)).contiguous();
}

// Names of the tokens, and for people a line for each row of patches.
void add_patches(const at::Tensor& rollout, AttentionView& view) {
  const auto* value = rollout.const_data_ptr<float>();
  view.keys = {"[CLS]"};
  OrderedJson rows = OrderedJson::array();
  for (int64_t row = 0; row < rollout.size(0); ++row) {
    AttentionView::Line line;
    for (int64_t column = 0; column < rollout.size(1); ++column, ++value) {
      line.tokens.push_back(text_of(row + 1, ',', column + 1));
      line.weights.push_back(*value);
      line.weight += *value;
    }
    view.keys.insert(view.keys.end(), line.tokens.begin(), line.tokens.end());
    rows.push_back(line.weights);
    view.lines.push_back(std::move(line));
  }
  view.queries = view.keys;
  view.details["rollout"] = rows;
}

PictureOverlay::Layer layer_of(const std::string& title, const at::Tensor& weights,
                               const models::ImageClassifierOptions& o) {
  return patch_layer(title, weights, models::patch_grid(o), o.patch_size);
}

AttentionPagePicture page_picture_of(const PictureOverlay& overlay,
                                     const models::ImageClassifierOptions& o) {
  const models::PatchGrid grid = models::patch_grid(o);
  return {.height = overlay.height,
          .width = overlay.width,
          .pixels = overlay.pixels,
          .first = 1,
          .rows = grid.rows,
          .columns = grid.columns,
          .covered_height = static_cast<double>(grid.rows * o.patch_size),
          .covered_width = static_cast<double>(grid.columns * o.patch_size),
          .about = text_of("The model cut this picture into patches of ", o.patch_size, " × ",
                           o.patch_size, " pixels, ", grid.rows, " rows of ", grid.columns,
                           ". Each patch is a token. One more token, [CLS], has no place in the "
                           "picture: it gathers what the model found, and the answer is made from "
                           "it.")};
}

// Of each layer; where all layers and heads are shown, of all of them together, too.
void add_layers(PictureOverlay& overlay, const AttentionView& view,
                const std::vector<int64_t>& layers, const std::vector<int64_t>& heads,
                const models::ImageClassifierOptions& o) {
  const bool all_heads = std::ssize(heads) == view.head_count();
  for (const int64_t layer : layers) {
    const std::string title =
        text_of("layer ", layer + 1, all_heads ? "" : text_of(", head ", heads[0] + 1));
    overlay.layers.push_back(layer_of(title, read_patches(view, layer, heads), o));
  }
  if (all_heads && std::ssize(layers) == view.layer_count()) {
    overlay.layers.push_back(layer_of("rollout", rollout_of(view, o), o));
  }
}

class ImageAdapter final : public TaskAdapter {
 public:
  ImageAdapter(models::TrainedImageClassifier trained, ImageOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"labels", trained_.labels},
                                {"pixel_means", trained_.pixel_means},
                                {"pixel_deviations", trained_.pixel_deviations}},
                               trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    const data::ImageData data = read(files, true);
    const at::Tensor logits = tasks::logits_of(trained_, data, progress);
    TaskEvaluation result =
        evaluation_of(tasks::scores_of_logits(logits, data.classes), trained_.labels);
    const at::Tensor all = at::softmax(logits.to(at::kDouble), 1).contiguous();
    if (options_.errors) {
      result.wrong = wrong_classes(all, data.classes, data.names, trained_.labels);
    }
    if (!options_.judgements) return result;
    const auto* row = all.const_data_ptr<double>();
    for (size_t i = 0; i < data.classes.size(); ++i, row += trained_.labels.size()) {
      result.judgements.push_back({.tokens = models::patch_grid(trained_.model->options()).count(),
                                   .expected = data.classes[i],
                                   .probabilities = {row, row + trained_.labels.size()}});
    }
    result.labels = trained_.labels;
    return result;
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::ImageData data =
        options_.input.read(file, reading_options(/*has_labels=*/false), answers);
    const at::Tensor all =
        at::softmax(tasks::logits_of(trained_, data).to(at::kDouble), 1).contiguous();
    const auto* row = all.const_data_ptr<double>();
    answer_pictures(data, answers, [&](int64_t i) {
      const std::string& name = data.names[static_cast<size_t>(i)];
      answers.add(name, {{"image", name}},
                  answer_of(name, {row, trained_.labels.size()}, answers.form()));
      row += trained_.labels.size();
    });
  }

  // Among the patches of one picture and the token that reads them. Drawn: the picture, and beside
  // it the same with what the reading token gives its patches.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const data::ImageData data = read({argument}, false);
    check_usage(data.count() == 1, argument, ": expected one picture, got ", data.count());
    nn::AttentionRecorder recorder;
    const at::Tensor logits = trained_.model->forward(tasks::image_batch(trained_, data, {0}))[0];
    const at::Tensor probabilities = at::softmax(logits.detach(), 0);
    const auto best = probabilities.argmax().item<int64_t>();
    const auto probability = probabilities[best].item<double>();
    const std::string& label = trained_.labels[static_cast<size_t>(best)];
    AttentionView view{.title = printable(std::filesystem::path(argument).filename().string()) +
                                ": " + answer_title(label, probability),
                       .details = {{"label", label}, {"probability", probability}}};
    if (request.gradients) view.score = logits[best];
    view.calls = std::move(recorder.self);
    const at::NoGradGuard no_grad;
    add_patches(rollout_of(view, trained_.model->options()), view);
    const PictureOverlay seen = overlay_of(data, view.title);
    view.draw = [shown = view, picture = seen, options = trained_.model->options()](
                    const auto& path, const auto& layers, const auto& heads) {
      PictureOverlay overlay = picture;
      add_layers(overlay, shown, layers, heads, options);
      return write_picture_overlay(overlay, path);
    };
    view.picture = page_picture_of(seen, trained_.model->options());
    return view;
  }

 private:
  data::ImageReadOptions reading_options(bool has_labels) const {
    const auto& o = trained_.model->options();
    return {.height = o.image_height,
            .width = o.image_width,
            .channels = o.num_channels,
            .resampling = data::resampling_from(trained_.resampling),
            .resize = trained_.resizes,
            .has_labels = has_labels,
            .label_names = trained_.labels};
  }

  data::ImageData read(const std::vector<std::string>& paths, bool has_labels) const {
    const PictureInput& input = options_.input;
    return input.reading.read(paths, reading_options(has_labels), input.table, input.rows);
  }

  Answer answer_of(const std::string& name, std::span<const double> shares,
                   const AnswerForm& form) const {
    const auto best =
        static_cast<size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
    const bool known = shares[best] >= options_.choice.threshold.value_or(0);
    const std::string& label = known ? trained_.labels[best] : options_.choice.unknown;
    Answer answer{.line = name + '\t' + answer_line(label, shares[best]), .json = {}};
    if (!form.wants_json()) return answer;
    answer.json = {{"image", name},
                   {"label", known ? OrderedJson(label) : OrderedJson(nullptr)},
                   {"probability", shares[best]},
                   {"probabilities", probabilities_json(trained_.labels, shares)}};
    if (form.has_column("top")) {
      answer.json["top"] = likeliest_json(trained_.labels, shares, options_.choice.top);
    }
    return answer;
  }

  models::TrainedImageClassifier trained_;
  ImageOptions options_;
};

TaskLoader define_image_classification(TaskOptions& options, Use use) {
  if (use == Use::kInspect) {
    return loader_of<ImageAdapter>([] { return ImageOptions(); }, models::load_image_classifier);
  }
  const auto& reading = options.use<ImageReading>();
  if (use == Use::kDoctor) {
    return loader_of<ImageAdapter>(
        [&reading] { return ImageOptions{.input = {.reading = reading}, .judgements = true}; },
        models::load_image_classifier);
  }
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  const auto* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
  const auto* choice = use == Use::kPredict ? &options.use<AnswerChoice>() : nullptr;
  return loader_of<ImageAdapter>(
      [&reading, &rows, &table, errors, choice] {
        ImageOptions given{.input = {.reading = reading, .rows = rows, .table = table}};
        if (errors != nullptr) given.errors = errors->wanted();
        if (choice != nullptr) given.choice = *choice;
        return given;
      },
      models::load_image_classifier);
}

}  // namespace

TaskKind image_classification() {
  return {.model_type = "heed_image_classifier",
          .name = "image",
          .define = define_image_classification,
          .purpose = models::published::Purpose::kImageClassification};
}

}  // namespace heed::cli
