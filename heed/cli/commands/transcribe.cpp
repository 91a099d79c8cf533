#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/interrupt.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/writing/answer_writer.h"
#include "heed/cli/writing/subtitles.h"
#include "heed/data/sounds/sound_data.h"
#include "heed/inference/generation_fields.h"
#include "heed/io/printable.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/speech_recognizer_files.h"
#include "heed/tasks/speech/speech_recognition.h"
#include "heed/tasks/speech/transcription.h"

namespace heed::cli {
namespace {

struct TranscribeSettings {
  std::string model;
  std::vector<std::string> sounds;
  std::string format = "text";
  std::string language;
  std::string task = "auto";
  bool no_timestamps = false;
  int64_t num_beams = 1;
  ThreadOptions threads;
  const Options* options = nullptr;
};

// What was said in one sound.
struct Said {
  std::vector<Subtitle> parts;
  OrderedJson json;  // beside the file
};

using Listen = std::function<Said(const std::string& file)>;

// One of `heed train asr`: the words of a sound are one part.
Listen own_model(const TranscribeSettings& settings) {
  check_usage(settings.language.empty() && settings.task != "translate" &&
                  settings.num_beams == 1 && !settings.no_timestamps,
              "--language, --task, --num-beams, --no-timestamps: have no meaning for a model of "
              "the task 'asr'");
  auto trained = models::load_speech_recognizer(settings.model);
  return [trained](const std::string& file) -> Said {
    const models::SpeechOptions& speech = trained.model->options().speech;
    const data::SoundExample sound =
        data::read_sound({.file = file}, models::log_mel_options(speech), speech.max_seconds);
    const auto said = tasks::transcribe(trained, {&sound.features}).front();
    OrderedJson words = OrderedJson::array();
    for (const tasks::SpokenWord& word : said.words) {
      words.push_back({{"word", word.text}, {"start", word.begin}, {"end", word.end}});
    }
    Said result{.parts = {}, .json = {{"text", said.text}, {"words", std::move(words)}}};
    if (!said.words.empty()) {
      result.parts.push_back({said.words.front().begin, said.words.back().end, said.text});
    }
    return result;
  };
}

Listen published_model(const TranscribeSettings& settings) {
  auto transcriber = std::make_shared<tasks::Transcriber>(tasks::load_transcriber(settings.model));
  tasks::TranscriptionOptions options{
      .language = settings.language,
      .translate =
          settings.task == "auto" ? std::nullopt : std::optional(settings.task == "translate"),
      .timestamps = !settings.no_timestamps,
      .cancelled = [] { return InterruptGuard::interrupted(); }};
  inference::take_generation_fields(options, settings, [&](const nn::Field& field) {
    return is_given(*settings.options, field);
  });
  return [transcriber, options](const std::string& file) -> Said {
    const auto said = tasks::transcribe(*transcriber, audio::read_sound(file), options,
                                        progress_bar("transcribing"));
    Said result;
    OrderedJson segments = OrderedJson::array();
    std::vector<std::string> texts;
    for (const tasks::SpokenSegment& segment : said.segments) {
      result.parts.push_back({segment.begin, segment.end, segment.text});
      texts.push_back(segment.text);
      segments.push_back({{"start", segment.begin},
                          {"end", segment.end},
                          {"text", segment.text},
                          {"tokens", segment.ids}});
    }
    result.json = {{"text", joined(texts, " ")}, {"segments", std::move(segments)}};
    if (!said.language.empty()) result.json["language"] = said.language;
    return result;
  };
}

void print(const std::string& format, const std::string& file, const Said& said) {
  if (format == "json") {
    OrderedJson json = {{"file", file}};
    json.update(said.json);
    // A segment may end within a character.
    std::cout << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
  } else if (format == "vtt") {
    std::cout << vtt_text(said.parts);
  } else if (format == "srt") {
    std::cout << srt_text(said.parts);
  } else {
    for (const Subtitle& part : said.parts) std::cout << printable(part.text) << '\n';
  }
}

void run_transcribe(const TranscribeSettings& settings) {
  settings.threads.apply();
  const bool subtitles = settings.format == "vtt" || settings.format == "srt";
  check_usage(!subtitles || settings.sounds.size() == 1, "--format: ", settings.format,
              " is of one sound, got ", settings.sounds.size());
  check_usage(!subtitles || !settings.no_timestamps, "--no-timestamps: ", settings.format,
              " has times");
  const InterruptGuard guard;
  const bool own = models::model_type_of(settings.model) == "heed_speech_recognizer";
  const Listen listen = own ? own_model(settings) : published_model(settings);
  AnswerWriter answers({.json = settings.format == "json"}, std::cout, std::cerr);
  for (const std::string& file : settings.sounds) {
    try {
      print(settings.format, file, listen(file));
    } catch (const DataError& error) {
      if (settings.sounds.size() == 1) throw;
      answers.fail(file, {}, error.what());
    } catch (const MissingInputError& error) {
      if (settings.sounds.size() == 1) throw;
      answers.fail(file, {}, error.what());
    }
    flush_output();
  }
  answers.finish();
}

void define_transcribe(Options& options, TranscribeSettings& s) {
  s.options = &options;
  options.add("model", s.model, "Directory of a model: Whisper's, or one of heed train asr")
      .required();
  options.add("sounds", s.sounds, "Sounds, such as WAV and FLAC").required().repeats();
  options
      .add("--format", s.format,
           "What to print: text, a line for each part; json, an object for each sound; vtt or srt, "
           "subtitles")
      .one_of({"text", "json", "vtt", "srt"});
  options.add("--language", s.language,
              "Of models that know several: the language that is spoken, such as en; without: as "
              "generation_config.json says, otherwise told by the first half minute");
  options
      .add("--task", s.task,
           "transcribe, or translate into English; auto: what generation_config.json says, or "
           "transcribe where it says nothing")
      .one_of({"auto", "transcribe", "translate"});
  options.flag("--no-timestamps", s.no_timestamps,
               "Let the model write no times, half a minute "
               "being one part");
  inference::visit_generation_fields(
      s, FieldOptions(options, {.help = {{"num_beams",
                                          "Beginnings of a text that beam search keeps; 1: no beam "
                                          "search; without: as generation_config.json says"}}}));
  s.threads.add_to(options);
}

}  // namespace

Command transcribe_command() {
  return {
      .path = "transcribe",
      .summary = "Write what is said in sounds, and when",
      .examples =
          "  heed transcribe whisper-tiny.en talk.wav\n"
          "  heed transcribe whisper-small talk.flac --language de --format srt > talk.srt\n"
          "  heed transcribe model calls/*.wav --format json\n",
      .define = with_settings(define_transcribe, run_transcribe),
  };
}

}  // namespace heed::cli
