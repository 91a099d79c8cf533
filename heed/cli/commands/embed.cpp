#include <ATen/ATen.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/cli/reading/text_files.h"
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

void print(const std::vector<std::string>& texts, const at::Tensor& vectors) {
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto* first = vectors[static_cast<int64_t>(i)].const_data_ptr<float>();
    const OrderedJson json = {{"text", texts[i]},
                              {"vector", std::vector<float>(first, first + vectors.size(1))}};
    std::cout << json.dump() << '\n';
  }
  flush_output();
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
  const std::vector<std::string> texts =
      lines_of(settings.files.empty() ? std::vector<std::string>{"-"} : settings.files);
  std::vector<std::string> read;
  for (const std::string& text : texts) read.push_back(prompt + text);
  const at::Tensor vectors = tasks::embed(embedder, read, progress_bar("embedding"));
  warn(tasks::cut_texts(embedder, read).warnings());
  if (settings.out.empty()) {
    print(texts, vectors);
  } else {
    write_npy(settings.out, vectors);
  }
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
