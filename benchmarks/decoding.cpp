// Decoding by a language model of GPT-2's smallest shape (124M parameters, random weights): tokens
// a second for one sequence and for 32 at once, float32 and bfloat16 weights. A step reads every
// weight once, so the limit of one sequence is the bandwidth of memory: at 66 GB/s the goals are
// 100 tokens a second in float32 and 170 in bfloat16.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <memory>
#include <string>

#include "benchmarks/bench.h"
#include "heed/base/error.h"
#include "heed/models/language_model.h"
#include "heed/ops/threads.h"
#include "heed/tasks/generation/language_model_decoder.h"

namespace heed::bench {
namespace {

constexpr int64_t kPrompt = 32;
constexpr int64_t kNewTokens = 32;  // of a run
constexpr int64_t kMostTokens = kPrompt + 4 * kNewTokens;

struct Case {
  std::string name;
  int64_t rows = 1;
  at::ScalarType dtype = at::kFloat;
  double goal = 0;  // share of the read bandwidth; 0: none
};

double bytes_of(const torch::nn::Module& module) {
  double bytes = 0;
  for (const at::Tensor& each : module.parameters()) bytes += static_cast<double>(each.nbytes());
  return bytes;
}

Result measure(const Case& c, const BenchOptions& options, const Machine& machine) {
  at::manual_seed(1);
  auto model = std::make_shared<models::LanguageModel>(models::gpt2_options());
  model->to(c.dtype);
  model->eval();
  tasks::LanguageModelDecoder decoder(model);
  const at::Tensor prompt = at::randint(1, 50'000, {c.rows, kPrompt}, at::kLong);
  at::Tensor last;
  const auto start_again = [&] {
    decoder.reset();
    last = decoder.step(prompt).argmax(1, true);
  };
  start_again();
  int64_t held = kPrompt;
  const auto run = [&] {
    for (int64_t i = 0; i < kNewTokens; ++i) last = decoder.step(last).argmax(1, true);
    held += kNewTokens;
    if (held == kMostTokens) {
      start_again();
      held = kPrompt;
    }
  };
  const auto timings = time_in_turn({{"heed", run}}, {.seconds = options.seconds});
  const double seconds = timings[0].median_ms / 1000;
  const double speed = static_cast<double>(c.rows * kNewTokens) / seconds;
  Result result{.name = c.name,
                .pass = "decode",
                .dtype = c.dtype == at::kFloat ? "float32" : "bfloat16",
                .shape = text_of(c.rows, " rows, 12 layers of 768, V 50257"),
                .heed = timings[0],
                .bytes = bytes_of(*model) * kNewTokens,
                .measured = text_of(static_cast<int64_t>(speed), " tokens/s")};
  if (c.goal > 0) {
    // A model of a megabyte more or less changes tokens a second, not this.
    const double share = bytes_of(*model) * kNewTokens / seconds / (machine.read_gigabytes * 1e9);
    result.goal = text_of(static_cast<int64_t>(c.goal * 100), "% of the read bandwidth");
    result.measured += text_of(", ", static_cast<int64_t>(share * 100), "%");
    result.met = share >= c.goal;
  }
  return result;
}

}  // namespace
}  // namespace heed::bench

int main(int argc, char** argv) {
  using namespace heed::bench;
  const BenchOptions options =
      parse_options(argc, argv, "Tokens a second of a GPT-2 of 124M parameters");
  heed::set_threads(options.threads > 0 ? options.threads : at::get_num_threads());
  const Report report(measure_machine(options.threads), options);
  for (const Case& c :
       {Case{"decode 1", 1, at::kFloat, 0.75}, Case{"decode 1 bf16", 1, at::kBFloat16, 0.64},
        Case{"decode 32", 32, at::kFloat, 0}}) {
    if (c.name.find(options.filter) == std::string::npos) continue;
    report.add(measure(c, options, report.machine()));
  }
  return 0;
}
