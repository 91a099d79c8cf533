#include <ATen/ATen.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/attention_page.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/task_kind.h"
#include "heed/io/printable.h"
#include "heed/viz/heat_map.h"
#include "heed/viz/terminal.h"

namespace heed::cli {
namespace {

struct AttendSettings {
  AnyTask task;
  std::string input;
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
  const at::Tensor weights = attention.matrix(layer, head).contiguous();
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

// How many tokens one cell stands for, so that a picture of `across` heads beside each other has no
// more cells than it can show.
WeightBlockSize block_of(const AttentionView& attention, size_t across) {
  const int64_t most = std::max<int64_t>(192, 1000 / static_cast<int64_t>(across));
  const auto block = [&](const std::vector<std::string>& tokens) {
    return (std::ssize(tokens) + most - 1) / most;
  };
  return {.queries = block(attention.queries), .keys = block(attention.keys)};
}

// The first token of each block, marked where the block has more.
std::vector<std::string> block_labels(const std::vector<std::string>& tokens, int64_t block) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < tokens.size(); i += static_cast<size_t>(block)) {
    labels.push_back(tokens[i] + (block > 1 ? " …" : ""));
  }
  return labels;
}

// The heads of a layer, each cell the mean of a block.
std::vector<HeatMap> block_maps(const AttentionView& attention, int64_t layer,
                                const std::vector<int64_t>& heads, const WeightBlockSize& block) {
  const at::Tensor means = attention.blocks(layer, block).contiguous();  // (H, rows, columns)
  std::vector<HeatMap> maps;
  for (const int64_t head : heads) {
    const auto* values = means.const_data_ptr<float>() + head * means.size(1) * means.size(2);
    maps.push_back({.title = text_of("layer ", layer + 1, ", head ", head + 1),
                    .row_labels = block_labels(attention.queries, block.queries),
                    .column_labels = block_labels(attention.keys, block.keys),
                    .rows = means.size(1),
                    .columns = means.size(2),
                    .values = {values, values + means.size(1) * means.size(2)}});
  }
  return maps;
}

std::vector<std::string> draw_matrices(const AttendSettings& settings,
                                       const AttentionView& attention,
                                       const std::vector<int64_t>& layers,
                                       const std::vector<int64_t>& heads) {
  HeatMapGrid grid{.title = attention.title, .columns = static_cast<int64_t>(heads.size())};
  const WeightBlockSize block = block_of(attention, heads.size());
  for (const int64_t layer : layers) {
    for (HeatMap& map : block_maps(attention, layer, heads, block)) {
      grid.maps.push_back(std::move(map));
    }
  }
  std::vector<std::string> notes = write_heat_map_grid(grid, settings.out);
  if (block.queries * block.keys > 1) {
    notes.push_back(text_of("each cell is the mean of ", block.queries, " × ", block.keys,
                            " weights; --layer, --head or a page (.html) shows more"));
  }
  return notes;
}

void draw(const AttendSettings& settings, const AttentionView& attention,
          const std::vector<int64_t>& layers, const std::vector<int64_t>& heads) {
  const std::vector<std::string> notes = attention.draw
                                             ? attention.draw(settings.out, layers, heads)
                                             : draw_matrices(settings, attention, layers, heads);
  for (const std::string& note : notes) {
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
  at::Tensor received = at::zeros(std::ssize(attention.keys));
  for (const int64_t layer : layers) {
    received += attention.received(layer).index_select(0, at::tensor(heads)).sum(0);
  }
  received /= static_cast<double>(layers.size() * heads.size() * attention.queries.size());
  const auto* values = received.const_data_ptr<float>();
  std::cout << attention_text(attention.keys, {values, values + received.numel()},
                              {.colors = colors_wanted(STDOUT_FILENO)});
}

std::string chosen_part(const std::string& part, const std::vector<std::string>& known) {
  if (part.empty()) return known.empty() ? "" : known.front();
  check_usage(!known.empty(), "--part: has no meaning for a model with one attention");
  check_usage(std::find(known.begin(), known.end(), part) != known.end(),
              "--part: expected one of ", joined(known), ", got '", part, "'");
  return part;
}

// "Which attention, of models with several: cross, encoder, decoder (seq2seq); …".
std::string help_of_parts() {
  std::vector<std::string> tasks;
  for (const TaskKind& kind : task_kinds()) {
    if (kind.attention_parts.empty()) continue;
    tasks.push_back(text_of(joined(kind.attention_parts), " (", kind.name, ")"));
  }
  return "Which attention, of models with several: " + joined(tasks, "; ");
}

bool is_page(const std::string& path) { return std::filesystem::path(path).extension() == ".html"; }

void run_attend(const AttendSettings& settings) {
  settings.threads.apply();
  const bool page = is_page(settings.out);
  const auto model = settings.task.load();
  const AttentionView attention = model->attend(
      settings.input, {.part = chosen_part(settings.part, settings.task.kind().attention_parts),
                       .gradients = page});
  const auto layers = chosen(settings.layer, attention.layer_count(), "layer");
  const auto heads = chosen(settings.head, attention.head_count(), "head");
  if (page) {
    write_attention_page(attention_page(attention, layers, heads), settings.out);
  } else if (!settings.out.empty()) {
    draw(settings, attention, layers, heads);
  }
  if (!settings.out.empty()) std::cerr << "heed: wrote " << settings.out << '\n';
  if (settings.json) {
    print_json(attention, layers, heads);
  } else {
    print_text(attention, layers, heads);
  }
}

void define_attend(Options& options, AttendSettings& s) {
  s.task.add_model(options);
  options
      .add("text", s.input,
           "The text; of a question, the text and the question behind it; of a sound, its file")
      .required();
  options.add("--out", s.out,
              "What to write: a picture (.png, .svg, .pdf), or a page to explore (.html)");
  options.add("--part", s.part, help_of_parts());
  options.add("--layer", s.layer, "Layer to show, from 1; 0: all").at_least(0);
  options.add("--head", s.head, "Head to show, from 1; 0: all").at_least(0);
  options.flag("--json", s.json, "Print the weights as one JSON object");
  s.task.add_options(options, Use::kAttend);
  s.threads.add_to(options);
}

}  // namespace

Command attend_command() {
  return {
      .path = "attend",
      .summary = "Show what a trained model attends to in a sentence",
      .examples =
          "  heed attend model 'not a bad film at all' --out heat.png\n"
          "  heed attend model 'not a bad film at all' --out heat.svg --layer 1 --head 3\n"
          "  heed attend model 'not a bad film at all' --out page.html\n"
          "  heed attend model 'not a bad film at all' --json\n",
      .define = with_settings(define_attend, run_attend),
  };
}

}  // namespace heed::cli
