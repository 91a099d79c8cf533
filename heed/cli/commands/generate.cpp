#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/commands/generate_pictures.h"
#include "heed/cli/commands/generated_texts.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/task_sets.h"
#include "heed/inference/generation_fields.h"
#include "heed/io/file.h"
#include "heed/io/utf8.h"
#include "heed/models/files/encoder_decoder_files.h"
#include "heed/models/files/language_model_files.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/generation/language_model_decoder.h"
#include "heed/tasks/generation/published_rules.h"
#include "heed/tasks/generation/sequence_to_sequence.h"
#include "heed/tasks/generation/sequence_to_sequence_decoder.h"

namespace heed::cli {
namespace {

constexpr uint64_t kLargestPrompt = 16 << 20;

// The tokens of rules that the command line names; what it leaves out is as the model has it.
struct TokenRules {
  std::vector<std::string> suppressed = {};
  std::vector<std::string> suppressed_first = {};
  std::string first = {};
  std::string last = {};

  void add_to(Options& options) {
    options.add("--suppress-token", suppressed, "Token that is never written; several may be given")
        .repeats()
        .one_word_each();
    options
        .add("--begin-suppress-token", suppressed_first,
             "Token that is not the first that is written; several may be given")
        .repeats()
        .one_word_each();
    options.add("--forced-bos-token", first, "Token that is the first that is written");
    options.add("--forced-eos-token", last,
                "Token that is the last that is written where there is room for no more");
  }

  void apply_to(const text::Tokenizer& tokenizer, inference::LogitRules& rules) const {
    const auto id_of = [&](const char* option, const std::string& token) -> int64_t {
      const auto id = tokenizer.id_of(token);
      check_usage(id.has_value(), option, ": expected a token of the vocabulary, got '", token,
                  "'");
      return *id;
    };
    const auto ids_of = [&](const char* option, const std::vector<std::string>& tokens) {
      std::vector<int64_t> ids;
      for (const std::string& token : tokens) ids.push_back(id_of(option, token));
      return ids;
    };
    if (!suppressed.empty()) rules.suppress_tokens = ids_of("--suppress-token", suppressed);
    if (!suppressed_first.empty()) {
      rules.begin_suppress_tokens = ids_of("--begin-suppress-token", suppressed_first);
    }
    if (!first.empty()) rules.forced_bos_token_id = id_of("--forced-bos-token", first);
    if (!last.empty()) rules.forced_eos_token_id = id_of("--forced-eos-token", last);
  }
};

struct GenerateSettings {
  std::string directory;
  std::optional<std::string> prompt;
  std::string prompt_file;
  GenerationSettings generation;
  std::vector<std::string> ends;
  TokenRules rules;
  GeneratedForm form;
  std::string dtype = "float32";
  SpecialTokensOption special;
  GeneratePictures pictures;
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

bool translates(const std::string& directory) {
  return models::is_published(directory)
             ? models::published::purpose_in(directory) ==
                   models::published::Purpose::kConditionalGeneration
             : models::model_type_of(directory) == "heed_encoder_decoder";
}

// Goes on with the prompt.
TextWriter language_model(const GenerateSettings& settings, const std::string& prompt) {
  models::TrainedLanguageModel trained = models::load_language_model(settings.directory);
  settings.special.apply_to(trained.tokenizer);
  if (settings.dtype == "bfloat16") trained.model->to(at::kBFloat16);
  const auto ids = trained.tokenizer->encode_ids(prompt, trained.surround());
  check_usage(
      !ids.empty(),
      "--prompt (or --prompt-file, or standard input): expected at least one token, got none");
  const int64_t longest = trained.model->options().transformer.max_length;
  if (std::ssize(ids) > longest) {
    warn({text_of("the prompt has ", ids.size(), " tokens, of which the model reads the last ",
                  longest)});
  }
  TextWriter writer{.decoder = std::make_unique<tasks::LanguageModelDecoder>(trained.model),
                    .tokenizer = trained.tokenizer,
                    .ids = {ids.begin(), ids.end()},
                    .shown = prompt,
                    .model = trained.published};
  if (trained.published) writer.usual = &trained.published->generation();
  if (writer.usual != nullptr) writer.eos_token_ids = writer.usual->eos_token_ids;
  return writer;
}

// Answers the prompt.
TextWriter encoder_decoder(const GenerateSettings& settings, const std::string& prompt) {
  models::TrainedEncoderDecoder trained = models::load_encoder_decoder(settings.directory);
  settings.special.apply_to(trained.source);
  if (settings.dtype == "bfloat16") trained.model->to(at::kBFloat16);
  const std::vector<int32_t> ids = tasks::source_ids(trained, prompt);
  warn(tasks::cut_sources(trained, {prompt}).warnings());
  const models::TextBatch source =
      models::text_batch({&ids}, trained.model->options().source_pad_token_id);
  TextWriter writer{
      .decoder = std::make_unique<tasks::SequenceToSequenceDecoder>(trained.model, source),
      .tokenizer = trained.target,
      .ids = {trained.begin_token_id()},
      .eos_token_ids = trained.eos_token_ids(),
      .model = trained.published};
  if (trained.published) writer.usual = &trained.published->generation();
  return writer;
}

// Also the tokens that the command line names.
void add_ends(TextWriter& writer, const std::vector<std::string>& ends) {
  for (const std::string& end : ends) {
    const auto id = writer.tokenizer->id_of(end);
    check_usage(id.has_value(), "--eos-token: expected a token of the vocabulary, got '", end, "'");
    writer.eos_token_ids.push_back(*id);
  }
}

// What the command line says, and where it says nothing what the model is meant to be used with.
GenerationSettings with_usual(const GenerateSettings& given, const TextWriter& writer) {
  GenerationSettings settings = given.generation;
  if (writer.usual == nullptr) return settings;
  const Options& options = *given.options;
  models::published::GenerationConfig usual = *writer.usual;
  const bool samples = usual.do_sample || options.is_given("temperature") ||
                       options.is_given("top-k") || options.is_given("top-p") ||
                       options.is_given("min-p");
  check_usage(!usual.do_sample || usual.num_beams == 1 || options.is_given("num-beams"),
              "the model's generation_config.json: field 'num_beams': expected 1 beside do_sample, "
              "found ",
              usual.num_beams, ": beam search does not sample; --num-beams 1 samples, --num-beams ",
              usual.num_beams, " searches");
  if (!usual.do_sample) {
    const inference::SamplingOptions all;
    usual.top_k = all.top_k;
    usual.top_p = all.top_p;
    usual.min_p = all.min_p;
  }
  if (samples) {
    usual.num_beams = 1;
  } else {
    usual.temperature = 0;
  }
  inference::take_generation_fields(
      settings, usual, [&](const nn::Field& field) { return !is_given(options, field); });
  if (!options.is_given("max-new-tokens")) {
    const auto length = std::ssize(writer.ids);
    auto& most = settings.max_new_tokens;
    if (usual.max_length) most = std::max<int64_t>(0, *usual.max_length - length);
    most = usual.max_new_tokens.value_or(most);
  }
  if (!options.is_given("min-new-tokens")) {
    settings.min_new_tokens = models::published::least_new_tokens(usual, std::ssize(writer.ids));
  }
  return settings;
}

// Options that would be ignored without a word.
void check_options(const GenerateSettings& settings) {
  const bool searches = settings.generation.num_beams > 1;
  const std::set<std::string> drawing = drawing_options();
  for (const std::string& given : settings.options->given()) {
    const std::string name = "--" + given;
    check_usage(!searches || drawing.count(name) == 0, name,
                ": has no meaning with --num-beams above 1, since beam search does not sample");
    check_usage(searches || name != "--length-penalty", name,
                ": has no meaning without --num-beams above 1");
  }
  const GenerationSettings& asked = settings.generation;
  check_usage(!searches || asked.num_return_sequences <= asked.num_beams,
              "--num-return-sequences: expected 1 to ", asked.num_beams, " (--num-beams), got ",
              asked.num_return_sequences);
}

void run_generate(const GenerateSettings& settings) {
  if (writes_pictures(settings.directory)) {
    settings.threads.apply();
    return settings.pictures.run({.command = *settings.options,
                                  .directory = settings.directory,
                                  .sampling = settings.generation.sampling,
                                  .dtype = settings.dtype,
                                  .json = settings.form.json});
  }
  check_options(settings);
  settings.threads.apply();
  const bool answers = translates(settings.directory);
  GeneratePictures::check_not_given(*settings.options);
  const std::string prompt = read_prompt(settings);
  TextWriter writer =
      answers ? encoder_decoder(settings, prompt) : language_model(settings, prompt);
  add_ends(writer, settings.ends);
  if (writer.usual != nullptr) {
    writer.rules = tasks::logit_rules(*writer.usual, std::ssize(writer.ids));
  }
  settings.rules.apply_to(*writer.tokenizer, writer.rules);
  const GenerationSettings all = with_usual(settings, writer);
  if (all.num_beams > 1) {
    print_beams(writer, all, settings.form);
  } else {
    print_samples(writer, all, settings.form);
  }
}

void define_generate(Options& options, GenerateSettings& s) {
  s.options = &options;
  options
      .add(
          "model", s.directory,
          "Directory of a language model, of an encoder-decoder, which answers the prompt, or of a "
          "model that writes pictures")
      .required();
  options.add("--prompt", s.prompt, "Text to go on from; without: standard input");
  options.add("--prompt-file", s.prompt_file, "File that holds it; - is standard input");
  s.special.add_to(options);
  options.add("--eos-token", s.ends, "Token that ends a text; several may be given")
      .repeats()
      .one_word_each();
  s.rules.add_to(options);
  options.add("--stop", s.form.stops, "String that ends a text; several may be given")
      .repeats()
      .one_word_each();
  inference::visit_generation_fields(
      s.generation,
      FieldOptions(
          options,
          {.help = {{"seed", "The same seed gives the same text, or the same pictures"}}}));
  s.pictures.add_to(options);
  options.add("--dtype", s.dtype, "Of the weights: bfloat16 takes half the memory and time")
      .one_of({"float32", "bfloat16"})
      .group("Running");
  s.threads.add_to(options);
  options.flag("--json", s.form.json, "Print a JSON object for each text").group("Running");
}

}  // namespace

Command generate_command() {
  return {
      .path = "generate",
      .summary = "Go on with a text by a language model, or make pictures",
      .examples =
          "  heed generate model --prompt 'Once upon a time' --temperature 0.8 --top-k 40\n"
          "  heed generate model --prompt-file play.txt --num-return-sequences 3 --stop 'THE END' "
          "--json\n"
          "  echo 'To be' | heed generate model --num-beams 4 --max-new-tokens 50\n"
          "  heed generate model --class 7 --num-samples 16 --temperature 0.9 --out sheet.png\n",
      .define = with_settings(define_generate, run_generate),
  };
}

}  // namespace heed::cli
