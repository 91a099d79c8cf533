// Questions with answers: stories and a word (bAbI), texts and a span of them (SQuAD).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"
#include "heed/text/span.h"

namespace heed::data {

class TextLines;

// A question about the sentences of a story that stand before it.
struct StoryQuestion {
  std::vector<std::string> story;  // earlier questions left out
  std::string question;
  std::string answer;         // "bathroom"; "apple,football": as labels are compared (label_set.h)
  std::vector<size_t> facts;  // which sentences of `story` the answer rests on
  int64_t number = 0;         // of its story in the file, from 0
  int64_t line = 0;           // of the question, from 1
};

struct StoryData {
  std::string file;
  std::vector<StoryQuestion> questions;
};

// Reads the format of bAbI (Weston et al. 2015, "Towards AI-Complete Question Answering"):
//
//   1 Mary moved to the bathroom.
//   2 John went to the hallway.
//   3 Where is Mary? <tab> bathroom <tab> 1
//
// Numbers go up by one and begin again at 1 with each story; the facts are numbers of sentences
// and may be missing. Throws MissingInputError, IoError; DataError for a line over 16 MiB or
// damaged gzip data; everything else that is wrong is reported.
StoryData read_stories(const std::filesystem::path& file, DataReport& report,
                       const Limits& limits = {});
StoryData read_stories(TextLines& lines);  // that are open

struct SpanAnswer {
  std::string text;
  heed::text::Span range;  // bytes of the context
};

// A question about a text that holds its answer.
struct SpanQuestion {
  size_t context = 0;  // index into SpanData::contexts
  std::string id;      // as the file has it, or empty
  std::string question;
  std::vector<SpanAnswer> answers;  // none: the text does not answer it
  int64_t line = 0;                 // of JSON lines, from 1; 0 in a JSON document
};

struct SpanData {
  std::string file;
  std::vector<std::string> contexts;
  std::vector<SpanQuestion> questions;
};

enum class Answers : uint8_t { kRequired, kNone };  // kNone: not looked at (predict)

// Whether the questions of a file are those of read_spans: JSON. A pipe is not looked at; there the
// name tells.
bool are_spans(const std::filesystem::path& file);

// Reads SQuAD (Rajpurkar et al. 2016): its JSON document, or JSON lines or an array of objects
// {"context": ..., "question": ..., "answers": [{"text": ..., "answer_start": 17}]}, where answers
// may also be {"text": [...], "answer_start": [...]}. answer_start counts characters (code points);
// a question whose answer does not stand there is left out and reported.
// Throws MissingInputError, IoError; DataError for a document that is no JSON or lacks a field,
// over 512 MiB, or a line over 16 MiB.
SpanData read_spans(const std::filesystem::path& file, Answers answers, DataReport& report,
                    const Limits& limits = {});
SpanData read_spans(TextLines& lines, const FileLayout& kind, Answers answers, DataReport& report);

}  // namespace heed::data
