#include <ATen/ATen.h>

#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/text_files.h"
#include "heed/cli/writing/answer_writer.h"
#include "heed/data/rows.h"
#include "heed/io/atomic.h"
#include "heed/tasks/text/embed.h"

namespace heed::cli {
namespace {

struct EmbedSettings {
  std::string directory;
  std::vector<std::string> files;
  std::string out;
  PromptOption prompt;
  ThreadOptions threads;
};

void print(const std::vector<AskedLine>& lines, const at::Tensor& vectors, AnswerWriter& answers) {
  int64_t row = 0;
  for (const AskedLine& line : lines) {
    if (!line.text) {
      answers.leave_out(line.where, {}, "not text");
      continue;
    }
    const auto* first = vectors[row++].const_data_ptr<float>();
    answers.add(line.where, {},
                {.json = {{"text", *line.text},
                          {"vector", std::vector<float>(first, first + vectors.size(1))}}});
  }
  flush_output();
}

// The n-th row for the n-th line; NaN for one that is no text.
at::Tensor with_gaps(const std::vector<AskedLine>& lines, const at::Tensor& vectors) {
  if (vectors.size(0) == std::ssize(lines)) return vectors;
  at::Tensor all = at::full({std::ssize(lines), vectors.size(1)},
                            std::numeric_limits<float>::quiet_NaN(), vectors.options());
  int64_t row = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].text) all[static_cast<int64_t>(i)].copy_(vectors[row++]);
  }
  return all;
}

// NumPy's format 1.0: a line that says what follows, filled up to 64 bytes, and the numbers.
void write_npy(const std::string& file, const at::Tensor& vectors) {
  constexpr size_t kBefore = 10;  // magic number, version, length of the line
  constexpr size_t kAligned = 64;
  std::string header = text_of("{'descr': '<f4', 'fortran_order': False, 'shape': (",
                               vectors.size(0), ", ", vectors.size(1), "), }");
  header.resize((kBefore + header.size() + kAligned) / kAligned * kAligned - kBefore - 1, ' ');
  header += '\n';
  AtomicFile out(file);
  const std::string size = {static_cast<char>(header.size() & 0xff),
                            static_cast<char>(header.size() >> 8)};
  out.write(std::string("\x93NUMPY\x01\x00", 8) + size + header);
  out.write(vectors.const_data_ptr(), vectors.nbytes());
  out.commit();
}

void run_embed(const EmbedSettings& settings) {
  settings.threads.apply();
  const tasks::TextEmbedder embedder = tasks::load_text_embedder(settings.directory);
  const std::string prompt = tasks::prompt_of(embedder, settings.prompt.name);
  AnswerWriter answers({.json = true}, std::cout, std::cerr);
  const std::vector<AskedLine> lines = asked_lines(
      settings.files.empty() ? std::vector<std::string>{"-"} : settings.files, answers.report());
  std::vector<std::string> read;
  for (const AskedLine& line : lines) {
    if (line.text) read.push_back(prompt + *line.text);
  }
  const at::Tensor vectors = tasks::embed(embedder, read, progress_bar("embedding"));
  answers.count_cut(tasks::cut_texts(embedder, read));
  if (settings.out.empty()) {
    print(lines, vectors, answers);
  } else {
    write_npy(settings.out, with_gaps(lines, vectors));
  }
  answers.finish();
}

void define_embed(Options& options, EmbedSettings& s) {
  options.add("model", s.directory, "Directory of a published model (Hugging Face)").required();
  options.add("files", s.files, "A text on each line; - or none reads standard input").repeats();
  options.add("--out", s.out,
              "File for the vectors as a NumPy array, .npy, a row for each text; without: a JSON "
              "object a line on standard output");
  s.prompt.add_to(options);
  s.threads.add_to(options);
}

}  // namespace

Command embed_command() {
  return {
      .path = "embed",
      .summary = "Make vectors of texts by a published model",
      .examples =
          "  heed embed all-MiniLM-L6-v2 sentences.txt --out vectors.npy\n"
          "  echo 'A man is eating food.' | heed embed all-MiniLM-L6-v2\n",
      .define = with_settings(define_embed, run_embed),
  };
}

}  // namespace heed::cli
