#include <ATen/ATen.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/validators.h"
#include "heed/cli/trained.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/viz/heat_map.h"
#include "heed/viz/terminal.h"

namespace heed::cli {
namespace {

struct Settings {
  std::string directory;
  std::string text;
  std::string out;
  std::string part;
  int64_t layer = 0;  // from 1; 0: all
  int64_t head = 0;   // from 1; 0: all
  bool json = false;
  ThreadOptions threads;
};

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

HeatMap heat_map(const AttentionView& attention, int64_t layer, int64_t head) {
  const at::Tensor weights = attention.weights[layer][head].contiguous();
  const auto* values = weights.const_data_ptr<float>();
  return {
      .title = text_of("layer ", layer + 1, ", head ", head + 1),
      .row_labels = attention.queries,
      .column_labels = attention.keys,
      .rows = weights.size(0),
      .columns = weights.size(1),
      .values = std::vector<float>(values, values + weights.numel()),
  };
}

void draw(const Settings& settings, const AttentionView& attention,
          const std::vector<int64_t>& layers, const std::vector<int64_t>& heads) {
  HeatMapGrid grid{.title = attention.title, .columns = static_cast<int64_t>(heads.size())};
  for (const int64_t layer : layers) {
    for (const int64_t head : heads) grid.maps.push_back(heat_map(attention, layer, head));
  }
  for (const std::string& note : write_heat_map_grid(grid, settings.out)) {
    std::cerr << "heed: " << settings.out << ": " << note << '\n';
  }
}

void print_json(const AttentionView& attention, const std::vector<int64_t>& layers,
                const std::vector<int64_t>& heads) {
  OrderedJson json = attention.details;
  json["tokens"] = attention.queries;
  if (attention.keys != attention.queries) json["keys"] = attention.keys;
  for (const int64_t layer : layers) {
    for (const int64_t head : heads) {
      const HeatMap map = heat_map(attention, layer, head);
      OrderedJson rows = OrderedJson::array();
      for (int64_t i = 0; i < map.rows; ++i) {
        const auto begin = map.values.begin() + i * map.columns;
        rows.push_back(std::vector<float>(begin, begin + map.columns));
      }
      json["attention"].push_back({{"layer", layer + 1}, {"head", head + 1}, {"weights", rows}});
    }
  }
  std::cout << json.dump() << '\n';
}

// Each line behind its weight, its tokens as dark as theirs.
void print_lines(const std::vector<AttentionView::Line>& lines) {
  const std::string indent(9, ' ');
  for (const AttentionView::Line& line : lines) {
    char weight[16];
    std::snprintf(weight, sizeof weight, "%5.1f %%  ", 100 * static_cast<double>(line.weight));
    std::string text = attention_text(line.tokens, line.weights,
                                      {.colors = colors_wanted(STDOUT_FILENO), .width = 71});
    for (size_t at = text.find('\n'); at + 1 < text.size(); at = text.find('\n', at + 1)) {
      text.insert(at + 1, indent);
    }
    std::cout << weight << text;
  }
}

// Each token as dark as the mean weight that the others give it.
void print_text(const AttentionView& attention, const std::vector<int64_t>& layers,
                const std::vector<int64_t>& heads) {
  std::cout << printable(attention.title) << '\n';
  if (!attention.lines.empty()) return print_lines(attention.lines);
  const at::Tensor received = attention.weights.index_select(0, at::tensor(layers))
                                  .index_select(1, at::tensor(heads))
                                  .mean({0, 1, 2})
                                  .contiguous();
  const auto* values = received.const_data_ptr<float>();
  std::cout << attention_text(attention.keys, {values, values + received.numel()},
                              {.colors = colors_wanted(STDOUT_FILENO)});
}

std::string chosen_part(const Settings& settings, const Trained& trained) {
  const std::vector<std::string> parts = trained.attention_parts();
  if (settings.part.empty()) return parts.front();
  std::string known;
  for (const std::string& part : parts) {
    if (part == settings.part) return part;
    known += (known.empty() ? "" : ", ") + part;
  }
  throw UsageError(text_of("--part: expected one of ", known, ", got '", settings.part, "'"));
}

void run(const Settings& settings) {
  settings.threads.apply();
  if (!is_utf8(settings.text)) {
    throw DataError("the text", "expected UTF-8, found " + excerpt(settings.text));
  }
  const auto trained = load_trained(settings.directory);
  const AttentionView attention = trained->attend(settings.text, chosen_part(settings, *trained));
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

void define(CLI::App& app, Settings& s) {
  app.add_option("model", s.directory, "Directory of a trained model")->required();
  app.add_option("text", s.text, "The text; of a question, the text and the question behind it")
      ->required();
  app.add_option("--out", s.out, "Picture to write, .png or .svg");
  app.add_option(
      "--part", s.part,
      "Which attention, of models with several: cross, encoder or decoder (translation), "
      "question or all (questions)");
  app.add_option("--layer", s.layer, "Layer to show, from 1; 0: all")->check(at_least_0());
  app.add_option("--head", s.head, "Head to show, from 1; 0: all")->check(at_least_0());
  app.add_flag("--json", s.json, "Print the weights as one JSON object");
  s.threads.add_to(app);
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
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
