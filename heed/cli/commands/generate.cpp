#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/options/task_sets.h"
#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"
#include "heed/inference/text_stream.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/models/files/encoder_decoder_files.h"
#include "heed/models/files/language_model_files.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/generation/encoder_decoder_decoder.h"
#include "heed/tasks/generation/language_model_decoder.h"
#include "heed/tasks/generation/logit_rules.h"
#include "heed/tasks/generation/sequence_to_sequence.h"

namespace heed::cli {
namespace {

constexpr uint64_t kLargestPrompt = 16 << 20;

struct GenerateSettings {
  std::string directory;
  std::optional<std::string> prompt;
  std::string prompt_file;
  inference::GenerateOptions generate{.num_return_sequences = 1};
  int64_t num_beams = 0;
  double length_penalty = 1;
  std::vector<std::string> ends;
  std::vector<std::string> stops;
  std::string dtype = "float32";
  bool json = false;
  SpecialTokensOption special;
  ThreadOptions threads;
  const Options* options = nullptr;
};

std::string read_prompt(const GenerateSettings& settings) {
  check_usage(!settings.prompt || settings.prompt_file.empty(),
              "--prompt and --prompt-file: expected one of them, got both");
  std::string where = "--prompt";
  std::string prompt;
  if (settings.prompt) {
    prompt = *settings.prompt;
  } else if (!settings.prompt_file.empty() && settings.prompt_file != "-") {
    where = settings.prompt_file;
    prompt = read_file(settings.prompt_file, kLargestPrompt);
  } else {
    where = "standard input";
    prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (!is_utf8(prompt)) throw DataError(where, "expected UTF-8, found " + excerpt(prompt));
  return prompt;
}

// A model with what it goes on from.
struct Writer {
  std::unique_ptr<inference::StepDecoder> decoder;
  std::shared_ptr<const text::Tokenizer> tokenizer;  // of what is written
  std::vector<int64_t> ids = {};
  std::string shown = {};  // text that stands before what is written
  std::vector<int64_t> eos_token_ids = {};
  const models::published::GenerationConfig* usual = nullptr;  // of published models
  std::shared_ptr<void> model = {};                            // that owns it
};

bool translates(const std::string& directory) {
  return models::is_published(directory)
             ? models::published::purpose_in(directory) ==
                   models::published::Purpose::kConditionalGeneration
             : models::model_type_of(directory) == "heed_encoder_decoder";
}

// Goes on with the prompt.
Writer language_model(const GenerateSettings& settings, const std::string& prompt) {
  models::TrainedLanguageModel trained = models::load_language_model(settings.directory);
  settings.special.apply_to(trained.tokenizer);
  if (settings.dtype == "bfloat16") trained.model->to(at::kBFloat16);
  const auto ids = trained.tokenizer->encode_ids(prompt, trained.surround());
  check_usage(!ids.empty(), "the prompt: expected at least one token, got none");
  Writer writer{.decoder = std::make_unique<tasks::LanguageModelDecoder>(trained.model),
                .tokenizer = trained.tokenizer,
                .ids = {ids.begin(), ids.end()},
                .shown = prompt,
                .model = trained.published};
  if (trained.published) writer.usual = &trained.published->generation();
  if (writer.usual != nullptr) writer.eos_token_ids = writer.usual->eos_token_ids;
  return writer;
}

// Answers the prompt.
Writer encoder_decoder(const GenerateSettings& settings, const std::string& prompt) {
  models::TrainedEncoderDecoder trained = models::load_encoder_decoder(settings.directory);
  settings.special.apply_to(trained.source);
  if (settings.dtype == "bfloat16") trained.model->to(at::kBFloat16);
  const std::vector<int32_t> ids = tasks::source_ids(trained, prompt);
  const models::TextBatch source =
      models::text_batch({&ids}, trained.model->options().source_pad_token_id);
  Writer writer{.decoder = std::make_unique<tasks::EncoderDecoderDecoder>(trained.model, source),
                .tokenizer = trained.target,
                .ids = {trained.begin_token_id()},
                .eos_token_ids = trained.eos_token_ids(),
                .model = trained.published};
  if (trained.published) writer.usual = &trained.published->generation();
  return writer;
}

// What the command line says, and where it says nothing what the model is meant to be used with.
GenerateSettings with_usual(const GenerateSettings& given, const Writer& writer) {
  GenerateSettings settings = given;
  for (const std::string& end : given.ends) {
    const auto id = writer.tokenizer->id_of(end);
    check_usage(id.has_value(), "--eos-token: expected a token of the vocabulary, got '", end, "'");
    settings.generate.eos_token_ids.push_back(*id);
  }
  auto& ends = settings.generate.eos_token_ids;
  ends.insert(ends.end(), writer.eos_token_ids.begin(), writer.eos_token_ids.end());
  if (writer.usual == nullptr) return settings;
  const models::published::GenerationConfig& usual = *writer.usual;
  const auto is_given = [&](const char* name) { return given.options->is_given(name); };
  inference::SamplingOptions& sampling = settings.generate.sampling;
  const bool samples = usual.do_sample || is_given("temperature") || is_given("top-k") ||
                       is_given("top-p") || is_given("min-p");
  if (!is_given("temperature")) sampling.temperature = samples ? usual.temperature : 0;
  if (!is_given("top-k") && usual.do_sample) sampling.top_k = usual.top_k;
  if (!is_given("top-p") && usual.do_sample) sampling.top_p = usual.top_p;
  if (!is_given("min-p") && usual.do_sample) sampling.min_p = usual.min_p;
  if (!is_given("repetition-penalty")) sampling.repetition_penalty = usual.repetition_penalty;
  if (!is_given("num-beams") && !samples && usual.num_beams > 1) {
    settings.num_beams = usual.num_beams;
  }
  if (!is_given("length-penalty")) settings.length_penalty = usual.length_penalty;
  if (!is_given("max-new-tokens")) {
    const auto length = std::ssize(writer.ids);
    auto& most = settings.generate.max_new_tokens;
    if (usual.max_length) most = std::max<int64_t>(0, *usual.max_length - length);
    most = usual.max_new_tokens.value_or(most);
  }
  settings.generate.rules = tasks::logit_rules(usual);
  return settings;
}

const char* name_of(inference::Finish finish) {
  switch (finish) {
    case inference::Finish::kEndToken:
      return "end_token";
    case inference::Finish::kStopped:
      return "stop_string";
    case inference::Finish::kLength:
      return "length";
    case inference::Finish::kCancelled:
      return "cancelled";
  }
  return "";
}

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

struct Speed {
  int64_t tokens = 0;
  double seconds = 0;
  double per_second() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0; }
};

void print_speed(const Speed& speed) {
  std::fprintf(stderr, "heed: %lld tokens in %.2f s, %.1f tokens/s\n",
               static_cast<long long>(speed.tokens), speed.seconds, speed.per_second());
}

// A token may be a part of a character, so what was generated need not be UTF-8 at its end.
void print_json(const OrderedJson& json) {
  std::cout << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
}

// What a person reads as it comes: one sample continues the prompt on the terminal; several stand
// under each other, each behind a line that counts them.
class Sampling {
 public:
  Sampling(const GenerateSettings& settings, Writer& writer)
      : settings_(settings), writer_(writer), options_(settings.generate) {
    options_.cancelled = [] { return InterruptGuard::interrupted(); };
    for (int64_t i = 0; i < options_.num_return_sequences; ++i) {
      streams_.emplace_back(writer.tokenizer, settings.stops);
    }
    texts_.resize(streams_.size());
  }

  void run() {
    const InterruptGuard guard;
    const std::string& prompt = writer_.shown;
    if (streaming()) write(prompt);
    const Clock clock;
    const auto generated =
        inference::generate(*writer_.decoder, writer_.ids, options_,
                            [this](int64_t sample, int64_t id) { return take(sample, id); });
    Speed speed{.seconds = clock.seconds()};
    for (const auto& each : generated) speed.tokens += static_cast<int64_t>(each.ids.size());
    for (size_t i = 0; i < generated.size(); ++i) finish(i, generated[i], {prompt, speed});
    print_speed(speed);
    if (InterruptGuard::interrupted()) throw Interrupted("generation: stopped");
  }

 private:
  struct Whole {
    const std::string& prompt;
    Speed speed;
  };

  bool streaming() const { return !settings_.json && options_.num_return_sequences == 1; }

  static void write(const std::string& text) {
    std::cout << text << std::flush;
    if (!std::cout) throw IoError("standard output: could not be written to the end");
  }

  bool take(int64_t sample, int64_t id) {
    const auto place = static_cast<size_t>(sample);
    const std::string text = streams_[place].push(id);
    texts_[place] += text;
    if (streaming() && !text.empty()) write(text);
    return !streams_[place].stopped();
  }

  void finish(size_t sample, const inference::Generated& generated, const Whole& whole) {
    const std::string rest = streams_[sample].finish();
    texts_[sample] += rest;
    if (streaming()) {
      write(rest + "\n");
    } else if (!settings_.json) {
      write(text_of("--- sample ", sample + 1, "\n", whole.prompt, texts_[sample], "\n"));
    } else {
      print_json({{"sample", sample + 1},
                  {"text", texts_[sample]},
                  {"ids", generated.ids},
                  {"finish", name_of(generated.finish)},
                  {"tokens_per_second", whole.speed.per_second()}});
    }
  }

  const GenerateSettings& settings_;
  Writer& writer_;
  inference::GenerateOptions options_;
  std::vector<inference::TextStream> streams_;
  std::vector<std::string> texts_;
};

// The text of ids, cut before the first stop string.
std::string text_until_stop(const GenerateSettings& settings, const Writer& writer,
                            const std::vector<int64_t>& ids) {
  inference::TextStream stream(writer.tokenizer, settings.stops);
  std::string text;
  for (const int64_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

void search(const GenerateSettings& settings, Writer& writer) {
  const InterruptGuard guard;
  const int64_t longest = writer.decoder->capacity();
  const auto length = static_cast<int64_t>(writer.ids.size());
  check_usage(length + settings.generate.max_new_tokens <= longest,
              "--max-new-tokens: expected a prompt and new tokens of at most ", longest,
              " tokens together (the context of the model), got ", length, " + ",
              settings.generate.max_new_tokens);
  std::optional<inference::EarlyStopping> early_stopping;
  if (writer.usual != nullptr) {
    early_stopping = tasks::early_stopping(*writer.usual, settings.num_beams);
  }
  const Clock clock;
  const auto found =
      inference::beam_search(*writer.decoder, at::tensor(writer.ids, at::kLong).unsqueeze(0),
                             {.num_beams = settings.num_beams,
                              .length_penalty = settings.length_penalty,
                              .early_stopping = early_stopping,
                              .max_new_tokens = settings.generate.max_new_tokens,
                              .num_return_sequences = settings.generate.num_return_sequences,
                              .eos_token_ids = settings.generate.eos_token_ids,
                              .rules = settings.generate.rules,
                              .cancelled = [] { return InterruptGuard::interrupted(); }})[0];
  Speed speed{.seconds = clock.seconds()};
  for (const auto& each : found) speed.tokens += static_cast<int64_t>(each.ids.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string text = text_until_stop(settings, writer, found[i].ids);
    if (settings.json) {
      print_json({{"sample", i + 1},
                  {"text", text},
                  {"ids", found[i].ids},
                  {"log_probability", found[i].log_probability},
                  {"score", found[i].score},
                  {"tokens_per_second", speed.per_second()}});
    } else {
      if (found.size() > 1) std::cout << "--- hypothesis " << i + 1 << '\n';
      std::cout << writer.shown << text << '\n';
    }
  }
  print_speed(speed);
}

// Options that would be ignored without a word.
void check_options(const GenerateSettings& settings) {
  static const std::set<std::string> kSampling = {"temperature",        "top-k", "top-p", "min-p",
                                                  "repetition-penalty", "seed"};
  for (const std::string& name : settings.options->given()) {
    check_usage(settings.num_beams == 0 || kSampling.count(name) == 0, "--", name,
                ": has no meaning with --num-beams, which takes no chances");
    check_usage(settings.num_beams > 0 || name != "length-penalty", "--", name,
                ": has no meaning without --num-beams");
  }
}

void run_generate(const GenerateSettings& settings) {
  check_options(settings);
  settings.threads.apply();
  inference::check(settings.generate.sampling);
  const bool answers = translates(settings.directory);
  const std::string prompt = read_prompt(settings);
  Writer writer = answers ? encoder_decoder(settings, prompt) : language_model(settings, prompt);
  const GenerateSettings all = with_usual(settings, writer);
  if (all.num_beams > 0) {
    search(all, writer);
  } else {
    Sampling(all, writer).run();
  }
}

void add_sampling_options(Options& options, GenerateSettings& s) {
  const std::string group = "Choosing tokens";
  inference::SamplingOptions& o = s.generate.sampling;
  options
      .add("--temperature", o.temperature,
           "Below 1 likely tokens become likelier; 0: always the most likely one")
      .at_least(0)
      .group(group);
  options.add("--top-k", o.top_k, "Only the K most likely tokens; 0: all").at_least(0).group(group);
  options.add("--top-p", o.top_p, "Only the most likely tokens with this probability together")
      .group(group);
  options
      .add("--min-p", o.min_p, "Only tokens at least this share as likely as the likeliest; 0: all")
      .group(group);
  options
      .add("--repetition-penalty", o.repetition_penalty,
           "Above 1 tokens that are there already become unlikelier")
      .above(0)
      .group(group);
  options.add("--seed", o.seed, "The same seed gives the same text").group(group);
  options.add("--num-return-sequences", s.generate.num_return_sequences, "Texts to make, together")
      .range(1, 100'000)
      .group(group);
  options
      .add("--num-beams", s.num_beams,
           "Beam search for the most likely text, keeping this many; --num-return-sequences "
           "of them are "
           "shown; 0: off")
      .range(0, 1000)
      .group(group);
  options
      .add("--length-penalty", s.length_penalty,
           "Beam search ranks by log-probability / length to this power")
      .group(group);
}

void define_generate(Options& options, GenerateSettings& s) {
  s.options = &options;
  options
      .add("model", s.directory,
           "Directory of a language model, or of an encoder-decoder, which answers the prompt")
      .required();
  options.add("--prompt", s.prompt, "Text to go on from; without: standard input");
  options.add("--prompt-file", s.prompt_file, "File that holds it; - is standard input");
  s.special.add_to(options);
  options.add("--max-new-tokens", s.generate.max_new_tokens, "New tokens, at most").at_least(0);
  options.add("--eos-token", s.ends, "Token that ends a text; several may be given")
      .repeats()
      .one_word_each();
  options.add("--stop", s.stops, "String that ends a text; several may be given")
      .repeats()
      .one_word_each();
  add_sampling_options(options, s);
  options.add("--dtype", s.dtype, "Of the weights: bfloat16 takes half the memory and time")
      .one_of({"float32", "bfloat16"})
      .group("Running");
  s.threads.add_to(options);
  options.flag("--json", s.json, "Print a JSON object for each text").group("Running");
}

}  // namespace

Command generate_command() {
  return {
      .path = "generate",
      .summary = "Go on with a text by a language model",
      .examples =
          "  heed generate model --prompt 'Once upon a time' --temperature 0.8 --top-k 40\n"
          "  heed generate model --prompt-file play.txt --num-return-sequences 3 --stop 'THE END' "
          "--json\n"
          "  echo 'To be' | heed generate model --num-beams 4 --max-new-tokens 50\n",
      .define = with_settings(define_generate, run_generate),
  };
}

}  // namespace heed::cli
