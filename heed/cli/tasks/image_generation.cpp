// How likely pictures are to a model that writes them, which class makes them likeliest, and what
// each code looks at.
#include "heed/tasks/image/image_generation.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/picture_input.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/ops/cross_entropy.h"

namespace heed::cli {
namespace {

constexpr const char* kQuantisedOnly =
    "The codebook does not hold every patch: bits_per_dim is that of the pictures as they are\n"
    "quantised, and no figure to hold beside those of other models.\n";

class ImageGenerationAdapter final : public TaskAdapter {
 public:
  ImageGenerationAdapter(models::TrainedImageGenerator trained, PictureInput input)
      : trained_(std::move(trained)), input_(std::move(input)) {}

  OrderedJson description() const override {
    return models::with_fields(
        {{"labels", trained_.labels}, {"exact", trained_.model->codes().is_exact()}},
        trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    const data::ImageData data = input_.reading.read(files, sizes(), input_.table, input_.rows);
    const tasks::CodedImages images = tasks::coded(trained_, data);
    const bool exact = trained_.model->codes().is_exact();
    TaskEvaluation result{
        .metrics = tasks::generation_metrics(trained_.model->options(),
                                             tasks::image_nats(trained_, images, progress)),
        .details = {{"exact", exact}},
        .report = exact ? "" : kQuantisedOnly,
        .tokens = std::ssize(images.codes)};
    result.metrics.emplace_back("quantization_rmse", tasks::quantization_error(trained_, data));
    return result;
  }

  // Bayes' rule with classes that are equally likely beforehand.
  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::ImageData data = input_.read(file, sizes(), answers);
    const auto nats = nats_by_class(data);
    answer_pictures(data, answers, [&](int64_t i) {
      const std::string& name = data.names[static_cast<size_t>(i)];
      answers.add(name, {{"image", name}}, answer_of(name, nats[static_cast<size_t>(i)]));
    });
  }

  // Among the class and the codes of one picture, read as of its likeliest class: who asks is what
  // is read last, and predicts the code behind it.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    data::ImageReadOptions options = sizes();
    options.has_labels = false;
    const data::ImageData data =
        input_.reading.read({argument}, options, input_.table, input_.rows);
    check_usage(data.count() == 1, argument, ": expected one picture, got ", data.count());
    const std::vector<double> nats = nats_by_class(data)[0];
    const int64_t best = std::min_element(nats.begin(), nats.end()) - nats.begin();
    const double bits =
        tasks::bits_per_dim(trained_.model->options(), nats[static_cast<size_t>(best)]);
    const std::vector<uint16_t> codes = tasks::coded(trained_, data).codes;
    const at::Tensor ids =
        at::tensor(std::vector<int64_t>(codes.begin(), codes.end()), at::kLong).unsqueeze(0);
    nn::AttentionRecorder recorder;
    const at::Tensor logits = trained_.model->forward(at::full({1}, best, at::kLong), ids);
    const std::string& label = trained_.labels[static_cast<size_t>(best)];
    AttentionView view{.title = printable(std::filesystem::path(argument).filename().string()) +
                                ": " + label + formatted(" (%.3f bits per dimension)", bits),
                       .queries = names_of_codes(label),
                       .calls = std::move(recorder.self),
                       .details = {{"label", label}, {"bits_per_dim", bits}}};
    view.keys = view.queries;
    if (request.gradients) {
      view.score = -heed::cross_entropy(logits, ids, {.reduction = Reduction::kSum});
    }
    return view;
  }

 private:
  data::ImageReadOptions sizes() const {
    const auto& o = trained_.model->options();
    return {.height = o.image_height,
            .width = o.image_width,
            .channels = o.num_channels,
            .label_names = trained_.labels};
  }

  // (N)(classes)
  std::vector<std::vector<double>> nats_by_class(const data::ImageData& data) const {
    tasks::CodedImages images = tasks::coded(trained_, data);
    std::vector<std::vector<double>> all(images.classes.size());
    for (int32_t label = 0; label < std::ssize(trained_.labels); ++label) {
      images.classes.assign(all.size(), label);
      const std::vector<double> nats = tasks::image_nats(trained_, images);
      for (size_t i = 0; i < all.size(); ++i) all[i].push_back(nats[i]);
    }
    return all;
  }

  Answer answer_of(const std::string& name, const std::vector<double>& nats) const {
    const auto least = std::min_element(nats.begin(), nats.end());
    std::vector<double> shares;
    double sum = 0;
    for (const double each : nats) sum += shares.emplace_back(std::exp(*least - each));
    for (double& share : shares) share /= sum;
    const auto best = static_cast<size_t>(least - nats.begin());
    const std::string& label = trained_.labels[best];
    return {.line = name + '\t' + answer_line(label, shares[best]),
            .json = {{"image", name},
                     {"label", label},
                     {"probability", shares[best]},
                     {"probabilities", probabilities_json(trained_.labels, shares)},
                     {"bits_per_dim", tasks::bits_per_dim(trained_.model->options(), *least)}}};
  }

  // "[7]", "1,1", "1,2", …: row and column of what is read.
  std::vector<std::string> names_of_codes(const std::string& label) const {
    const models::ImageCodeOptions codes = models::code_options(trained_.model->options());
    std::vector<std::string> names = {'[' + label + ']'};
    for (int64_t i = 0; i + 1 < codes.count(); ++i) {
      names.push_back(text_of(i / codes.columns() + 1, ',', i % codes.columns() + 1));
    }
    return names;
  }

  models::TrainedImageGenerator trained_;
  PictureInput input_;
};

TaskLoader define_image_generation(TaskOptions& options, Use use) {
  if (use == Use::kInspect) {
    return loader_of<ImageGenerationAdapter>([] { return PictureInput(); },
                                             models::load_image_generator);
  }
  const auto& reading = options.use<ImageReading>();
  if (use == Use::kDoctor) {
    return loader_of<ImageGenerationAdapter>(
        [&reading] { return PictureInput{.reading = reading}; }, models::load_image_generator);
  }
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  return loader_of<ImageGenerationAdapter>(
      [&reading, &rows, &table] {
        return PictureInput{.reading = reading, .rows = rows, .table = table};
      },
      models::load_image_generator);
}

}  // namespace

TaskKind image_generation() {
  return {.model_type = models::kImageGeneratorType,
          .name = "image-generation",
          .define = define_image_generation};
}

}  // namespace heed::cli
