#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/reading/text_files.h"
#include "heed/cli/writing/answer_writer.h"
#include "heed/data/rows.h"
#include "heed/io/printable.h"
#include "heed/io/utf8.h"
#include "heed/tasks/text/rerank.h"

namespace heed::cli {
namespace {

struct RerankSettings {
  std::string directory;
  std::vector<std::string> files;
  std::string query;
  int64_t top = 0;
  bool json = false;
  ThreadOptions threads;
};

std::vector<std::string> read_documents(const std::vector<std::string>& files,
                                        data::DataReport& report) {
  std::vector<std::string> documents;
  for (AskedLine& line : asked_lines(files, report)) {
    if (line.text && !trimmed(*line.text).empty()) documents.push_back(*std::move(line.text));
  }
  return documents;
}

void print(const RerankSettings& settings, const std::vector<std::string>& documents,
           const std::vector<double>& logits) {
  std::vector<size_t> order(documents.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  if (settings.top > 0) order.resize(std::min(order.size(), static_cast<size_t>(settings.top)));
  for (const size_t i : order) {
    const double score = 1 / (1 + std::exp(-logits[i]));
    if (settings.json) {
      const OrderedJson json = {
          {"index", i}, {"score", score}, {"logit", logits[i]}, {"document", documents[i]}};
      std::cout << json.dump() << '\n';
    } else {
      std::cout << formatted("%.4f\t", score) << printable(documents[i]) << '\n';
    }
  }
  flush_output();
}

void run_rerank(const RerankSettings& settings) {
  settings.threads.apply();
  const tasks::Reranker reranker = tasks::load_reranker(settings.directory);
  AnswerWriter answers({.json = settings.json}, std::cout, std::cerr);
  const std::vector<std::string> documents = read_documents(
      settings.files.empty() ? std::vector<std::string>{"-"} : settings.files, answers.report());
  const std::vector<double> logits =
      tasks::relevance(reranker, settings.query, documents, progress_bar("reading"));
  answers.count_cut(tasks::cut_texts(reranker, settings.query, documents));
  print(settings, documents, logits);
  answers.finish();
}

void define_rerank(Options& options, RerankSettings& s) {
  options
      .add("model", s.directory, "Directory of a published model with one label (a cross-encoder)")
      .required();
  options.add("files", s.files, "A document on each line; - or none reads standard input")
      .repeats();
  options.add("--query", s.query, "What the documents are to answer").required();
  options.add("--top", s.top, "Documents to print, the best ones; 0: all").range(0, 1'000'000'000);
  options.flag("--json", s.json,
               "Print a JSON object a line, with the place of the document in the input and the "
               "logit");
  s.threads.add_to(options);
}

}  // namespace

Command rerank_command() {
  return {
      .path = "rerank",
      .summary = "Sort documents by how well they answer a query",
      .examples =
          "  heed rerank ms-marco-MiniLM-L6-v2 --query 'how tall is the tower' documents.txt "
          "--top 3\n",
      .define = with_settings(define_rerank, run_rerank),
  };
}

}  // namespace heed::cli
