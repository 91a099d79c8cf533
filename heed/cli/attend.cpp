#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/tasks/text_classification.h"
#include "heed/viz/heat_map.h"
#include "heed/viz/terminal.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::string text;
  std::string out;
  int64_t layer = 0;  // from 1; 0: all
  int64_t head = 0;   // from 1; 0: all
  bool json = false;
  ThreadOptions threads;
};

// The weights of one sentence: (layers, H, N, N).
struct Attention {
  std::vector<std::string> tokens;
  at::Tensor weights;
  std::string label;
  double probability = 0;
};

Attention attend_to(const models::TrainedTextClassifier& trained, const std::string& text) {
  const c10::InferenceMode inference;
  const text::Encoding encoding = trained.tokenizer->encode(text);
  if (encoding.ids.empty()) throw DataError("the sentence", "expected at least one word, got none");
  nn::AttentionTrace trace;
  const auto batch = tasks::text_batch({&encoding.ids}, trained.model->options().padding_id);
  const at::Tensor probabilities =
      trained.model->forward(batch, &trace).to(at::kDouble).softmax(-1)[0];
  const int64_t label = probabilities.argmax().item<int64_t>();
  std::vector<at::Tensor> layers;
  for (const at::Tensor& weights : trace.weights) layers.push_back(weights[0]);
  Attention attention{.weights = at::stack(layers).to(at::kFloat).contiguous(),
                      .label = trained.labels[static_cast<size_t>(label)],
                      .probability = probabilities[label].item<double>()};
  // As the text has it, not as the vocabulary does: "[UNK]" would hide the word.
  for (const text::Span& span : encoding.offsets) {
    attention.tokens.push_back(text.substr(span.begin, span.size()));
  }
  return attention;
}

// The layers or heads that were asked for, from 0.
std::vector<int64_t> chosen(int64_t number, int64_t count, const char* what) {
  check_usage(number <= count, "--", what, ": expected a number from 1 to ", count, ", got ",
              number);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < count; ++i) {
    if (number == 0 || number == i + 1) all.push_back(i);
  }
  return all;
}

HeatMap heat_map(const Attention& attention, int64_t layer, int64_t head) {
  const at::Tensor weights = attention.weights[layer][head].contiguous();
  const auto* values = weights.const_data_ptr<float>();
  return {
      .title = text_of("layer ", layer + 1, ", head ", head + 1),
      .row_labels = attention.tokens,
      .column_labels = attention.tokens,
      .rows = weights.size(0),
      .columns = weights.size(1),
      .values = std::vector<float>(values, values + weights.numel()),
  };
}

std::string title_of(const Attention& attention) {
  return text_of(attention.label, " (", static_cast<int>(attention.probability * 100 + 0.5), " %)");
}

void draw(const Settings& settings, const Attention& attention, const std::vector<int64_t>& layers,
          const std::vector<int64_t>& heads) {
  HeatMapGrid grid{.title = title_of(attention), .columns = static_cast<int64_t>(heads.size())};
  for (const int64_t layer : layers) {
    for (const int64_t head : heads) grid.maps.push_back(heat_map(attention, layer, head));
  }
  write_heat_map_grid(grid, settings.out);
}

void print_json(const Attention& attention, const std::vector<int64_t>& layers,
                const std::vector<int64_t>& heads) {
  nlohmann::ordered_json json = {{"label", attention.label},
                                 {"probability", attention.probability},
                                 {"tokens", attention.tokens}};
  for (const int64_t layer : layers) {
    for (const int64_t head : heads) {
      const HeatMap map = heat_map(attention, layer, head);
      nlohmann::ordered_json rows = nlohmann::ordered_json::array();
      for (int64_t i = 0; i < map.rows; ++i) {
        const auto begin = map.values.begin() + i * map.columns;
        rows.push_back(std::vector<float>(begin, begin + map.columns));
      }
      json["attention"].push_back({{"layer", layer + 1}, {"head", head + 1}, {"weights", rows}});
    }
  }
  std::cout << json.dump() << '\n';
}

// Each token as dark as the mean weight that the others give it.
void print_text(const Attention& attention, const std::vector<int64_t>& layers,
                const std::vector<int64_t>& heads) {
  const at::Tensor received = attention.weights.index_select(0, at::tensor(layers))
                                  .index_select(1, at::tensor(heads))
                                  .mean({0, 1, 2})
                                  .contiguous();
  const auto* values = received.const_data_ptr<float>();
  std::cout << title_of(attention) << '\n'
            << attention_text(attention.tokens, {values, values + received.numel()},
                              {.colors = colors_wanted(STDOUT_FILENO)});
}

void run(const Settings& settings) {
  settings.threads.apply();
  const auto trained = models::load_text_classifier(settings.directory);
  const Attention attention = attend_to(trained, settings.text);
  const auto layers = chosen(settings.layer, attention.weights.size(0), "layer");
  const auto heads = chosen(settings.head, attention.weights.size(1), "head");
  if (!settings.out.empty()) {
    draw(settings, attention, layers, heads);
    std::cerr << "heed: wrote " << settings.out << '\n';
  }
  if (settings.json) {
    print_json(attention, layers, heads);
  } else {
    print_text(attention, layers, heads);
  }
}

}  // namespace

Command attend_command() {
  return {
      .path = "attend",
      .summary = "Show what a trained model attends to in a sentence",
      .examples =
          "  heed attend model 'not a bad film at all' --out heat.png\n"
          "  heed attend model 'not a bad film at all' --out heat.svg --layer 1 --head 3\n"
          "  heed attend model 'not a bad film at all' --json\n",
      .define =
          [](CLI::App& app) {
            auto settings = std::make_shared<Settings>();
            Settings& s = *settings;
            app.add_option("model", s.directory, "Directory of a trained model")->required();
            app.add_option("text", s.text, "The sentence")->required();
            app.add_option("--out", s.out, "Picture to write, .png or .svg");
            app.add_option("--layer", s.layer, "Layer to show, from 1; 0: all")
                ->check(CLI::NonNegativeNumber);
            app.add_option("--head", s.head, "Head to show, from 1; 0: all")
                ->check(CLI::NonNegativeNumber);
            app.add_flag("--json", s.json, "Print the weights as one JSON object");
            s.threads.add_to(app);
            return [settings] { run(*settings); };
          },
  };
}

}  // namespace heed::cli
