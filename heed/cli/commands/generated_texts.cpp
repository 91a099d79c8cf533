#include "heed/cli/commands/generated_texts.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/writing/standard_streams.h"
#include "heed/inference/generation_fields.h"
#include "heed/inference/text_stream.h"
#include "heed/io/json.h"
#include "heed/tasks/generation/published_rules.h"

namespace heed::cli {
namespace {

const char* name_of(inference::FinishReason finish) {
  switch (finish) {
    case inference::FinishReason::kEndToken:
      return "end_token";
    case inference::FinishReason::kStopped:
      return "stop_string";
    case inference::FinishReason::kLength:
      return "length";
    case inference::FinishReason::kCancelled:
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

bool every_field(const nn::Field& /*field*/) { return true; }

class Sampling {
 public:
  Sampling(TextWriter& writer, const GenerationSettings& settings, const GeneratedForm& form)
      : writer_(writer), form_(form) {
    options_.rules = writer.rules;
    inference::take_generation_fields(options_, settings, every_field);
    options_.eos_token_ids = writer.eos_token_ids;
    options_.cancelled = [] { return InterruptGuard::interrupted(); };
    for (int64_t i = 0; i < options_.num_return_sequences; ++i) {
      streams_.emplace_back(writer.tokenizer, form.stops);
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

  bool streaming() const { return !form_.json && options_.num_return_sequences == 1; }

  static void write(const std::string& text) {
    std::cout << as_shown(text) << std::flush;
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
    } else if (!form_.json) {
      write(text_of("--- sample ", sample + 1, "\n", whole.prompt, texts_[sample], "\n"));
    } else {
      print_json({{"sample", sample + 1},
                  {"text", texts_[sample]},
                  {"ids", generated.ids},
                  {"finish", name_of(generated.finish)},
                  {"tokens_per_second", whole.speed.per_second()}});
    }
  }

  TextWriter& writer_;
  const GeneratedForm& form_;
  inference::GenerateOptions options_;
  std::vector<inference::TextStream> streams_;
  std::vector<std::string> texts_;
};

// The text of ids, cut before the first stop string.
std::string text_until_stop(const TextWriter& writer, const std::vector<int64_t>& ids,
                            const std::vector<std::string>& stops) {
  inference::TextStream stream(writer.tokenizer, stops);
  std::string text;
  for (const int64_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

inference::BeamSearchOptions beam_options(const TextWriter& writer,
                                          const GenerationSettings& settings) {
  inference::BeamSearchOptions options;
  options.rules = writer.rules;
  inference::take_generation_fields(options, settings, every_field);
  options.eos_token_ids = writer.eos_token_ids;
  if (writer.usual != nullptr) {
    options.early_stopping = tasks::early_stopping(*writer.usual, settings.num_beams);
  }
  options.cancelled = [] { return InterruptGuard::interrupted(); };
  return options;
}

}  // namespace

std::set<std::string> drawing_options() {
  const inference::SamplingOptions drawing;
  std::set<std::string> names;
  inference::visit_generation_fields(drawing, [&](const nn::Field& field, const auto& /*value*/) {
    names.insert(option_name(field.name));
  });
  names.erase("--repetition-penalty");
  return names;
}

void print_samples(TextWriter& writer, const GenerationSettings& settings,
                   const GeneratedForm& form) {
  Sampling(writer, settings, form).run();
}

void print_beams(TextWriter& writer, const GenerationSettings& settings,
                 const GeneratedForm& form) {
  const InterruptGuard guard;
  const int64_t longest = writer.decoder->capacity();
  const auto length = static_cast<int64_t>(writer.ids.size());
  check_usage(length + settings.max_new_tokens <= longest,
              "--max-new-tokens: expected a prompt and new tokens of at most ", longest,
              " tokens together (the context of the model), got ", length, " + ",
              settings.max_new_tokens);
  const Clock clock;
  const auto found =
      inference::beam_search(*writer.decoder, at::tensor(writer.ids, at::kLong).unsqueeze(0),
                             beam_options(writer, settings))[0];
  Speed speed{.seconds = clock.seconds()};
  for (const auto& each : found) speed.tokens += static_cast<int64_t>(each.ids.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string text = text_until_stop(writer, found[i].ids, form.stops);
    if (form.json) {
      print_json({{"sample", i + 1},
                  {"text", text},
                  {"ids", found[i].ids},
                  {"log_probability", found[i].log_probability},
                  {"score", found[i].score},
                  {"tokens_per_second", speed.per_second()}});
    } else {
      if (found.size() > 1) std::cout << "--- hypothesis " << i + 1 << '\n';
      std::cout << as_shown(writer.shown + text) << '\n';
    }
  }
  print_speed(speed);
}

}  // namespace heed::cli
