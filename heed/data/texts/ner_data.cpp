#include "heed/data/texts/ner_data.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/columns.h"
#include "heed/data/json_lines.h"
#include "heed/data/label_set.h"
#include "heed/data/rows.h"
#include "heed/data/split.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

using text::TagScheme;

// Cells with a tab between them, or without any tab with blanks between them.
std::vector<std::string> cells_of(std::string_view line) {
  const bool tabs = line.find('\t') != std::string_view::npos;
  std::vector<std::string> cells;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(tabs ? '\t' : ' ', begin), line.size());
    const std::string_view cell = trimmed(line.substr(begin, end - begin));
    if (tabs || !cell.empty()) cells.emplace_back(cell);
    begin = end + 1;
  }
  return cells;
}

// A sentence while it is read: with the line of each word, and whether it can be used.
struct Draft {
  NerSentence sentence;
  std::vector<int64_t> lines;
  bool usable = true;
};

class Reader {
 public:
  explicit Reader(const NerReadOptions& options) : options_(options), types_(options.types) {
    check_usage(word_column() >= 1, "word_column (--text-column): expected a number from 1, got ",
                word_column());
    check_usage(options.tags == NerReadOptions::Tags::kChecked || !options.convert_to,
                "tags that are not checked cannot be converted");
  }

  void read(TextLines& lines) {
    lines_ = &lines;
    columns_ = 0;
    const FileLayout kind = kind_of(lines, options_);
    if (kind.format == Format::kConll) {
      said_column_ = options_.word_column ? options_.word_column : options_.known_word_column;
      read_columns();
    } else {
      read_objects(kind);
    }
  }

 private:
  void read_columns() {
    Draft draft;
    std::string line;
    int64_t last_line = 0;
    while (lines_->next(line)) {
      // A line that is no text was left out; it must not join the sentences around it.
      if (lines_->line_number() != last_line + 1) draft.usable = false;
      last_line = lines_->line_number();
      if (trimmed(line).empty()) {
        finish(draft);
      } else if (line.starts_with("-DOCSTART-")) {
        finish(draft);
      } else {
        add_row(line, draft);
      }
    }
    finish(draft);
  }

  void read_objects(const FileLayout& kind) {
    read_json_objects(*lines_, kind, [&](const JsonValue& object, int64_t line) {
      Draft draft;
      draft.sentence.words = object.at("tokens").strings();
      if (draft.sentence.words.empty()) object.at("tokens").fail("at least one word");
      for (const std::string& word : draft.sentence.words) {
        if (trimmed(word).empty()) object.at("tokens").fail("words that are not empty");
      }
      if (labelled()) {
        draft.sentence.tags = object.at("tags").strings();
        if (draft.sentence.tags.size() != draft.sentence.words.size()) {
          throw DataError(text_of("expected as many tags as tokens, found ",
                                  draft.sentence.tags.size(), " and ",
                                  draft.sentence.words.size()));
        }
        for (std::string& tag : draft.sentence.tags) tag = known_spelling(std::move(tag), line);
      }
      draft.lines.assign(draft.sentence.words.size(), line);
      finish(draft);
    });
  }

 public:
  NerData finish_all() {
    NerData data;
    data.file = lines_->file();
    std::vector<NerSentence> sentences;
    for (const Draft& draft : drafts_) sentences.push_back(draft.sentence);
    data.scheme = options_.scheme.value_or(scheme_of(sentences));
    if (labelled() && options_.tags == NerReadOptions::Tags::kChecked) check_tags(data.scheme);
    if (drafts_.empty()) {
      lines_->report(ProblemKind::kNoExamples, 0,
                     labelled() ? "expected at least one sentence of words with their tags"
                                : "expected at least one sentence");
    }
    std::set<std::string> types(options_.types.begin(), options_.types.end());
    for (Draft& draft : drafts_) {
      NerSentence& sentence = draft.sentence;
      if (labelled()) {
        for (const text::Entity& entity : text::entities_of(sentence.tags)) {
          types.insert(entity.type);
        }
        if (std::ssize(types) > options_.limits.most_classes) refuse_types(sentence);
        if (options_.convert_to) {
          sentence.tags = text::convert_tags(sentence.tags, data.scheme, *options_.convert_to);
        }
      }
      data.sentences.push_back(std::move(sentence));
    }
    data.types.assign(types.begin(), types.end());
    data.word_column = said_column_;
    if (options_.convert_to) data.scheme = *options_.convert_to;
    return data;
  }

 private:
  bool labelled() const { return options_.labels == Labels::kRequired; }
  int64_t word_column() const {
    return options_.word_column.value_or(options_.known_word_column.value_or(1));
  }

  // What a row of too few columns is told.
  std::string too_narrow(size_t least, size_t found) const {
    std::string detail = text_of("expected a word", labelled() ? " and its tag" : "",
                                 ", in at least ", least, " columns, found ", found);
    if (said_column_) {
      detail += text_of("; words in column ", *said_column_,
                        options_.word_column ? " (--text-column)"
                                             : ", as in training, unless --text-column says it");
    }
    return detail;
  }

  void add_row(const std::string& line, Draft& draft) {
    std::vector<std::string> cells = cells_of(line);
    const int64_t number = lines_->line_number();
    if (draft.lines.empty()) draft.sentence.line = number;
    draft.lines.push_back(number);
    const auto word = static_cast<size_t>(word_column()) - 1;
    const size_t least = word + (labelled() ? 2 : 1);
    if (columns_ == 0 && cells.size() >= least) columns_ = cells.size();
    const size_t expected = labelled() || columns_ == 0 ? columns_ : cells.size();
    if (cells.size() < least || cells.size() != expected) {
      lines_->report(ProblemKind::kColumnCount, number,
                     columns_ == 0 ? too_narrow(least, cells.size())
                                   : text_of("expected ", std::max(columns_, least),
                                             " columns as in the first row, found ", cells.size(),
                                             ": ", excerpt(line, 40)));
      draft.usable = false;
      return;
    }
    if (cells[word].empty()) {
      lines_->report(ProblemKind::kMalformedRow, number,
                     text_of("expected a word in column ", word + 1, ", found nothing"));
      draft.usable = false;
    }
    draft.sentence.words.push_back(std::move(cells[word]));
    if (labelled()) draft.sentence.tags.push_back(known_spelling(std::move(cells.back()), number));
  }

  // The tag with its type as the model spells it, or, where there is none, as types are compared:
  // those that look alike are one.
  std::string known_spelling(std::string tag, int64_t line) {
    constexpr size_t kMark = 2;  // "B-"
    const bool has_type = tag.size() > kMark && tag[1] == '-';
    if (!has_type || options_.tags == NerReadOptions::Tags::kAny) return tag;
    const std::string type = tag.substr(kMark);
    const auto found = types_.index_of(type, [&](const std::string& detail) {
      lines_->report(ProblemKind::kLookAlike, line, detail);
    });
    if (!found) return tag;
    return tag.substr(0, kMark) + (types_.is_fixed()
                                       ? types_.spellings()[static_cast<size_t>(*found)]
                                       : canonical_label(type));
  }

  void finish(Draft& draft) {
    if (draft.usable && !draft.sentence.words.empty()) {
      draft.sentence.line = draft.lines.front();
      draft.sentence.file = lines_->file();
      drafts_.push_back(std::move(draft));
    }
    draft = Draft();
  }

  [[noreturn]] void refuse_types(const NerSentence& sentence) const {
    throw DataError(text_of(sentence.file, ":", sentence.line),
                    text_of("more than ", options_.limits.most_classes,
                            " types of entities; do the tags stand in the last column? If they do, "
                            "give more with most_classes (--max-classes)"));
  }

  void check_tags(TagScheme scheme) {
    std::erase_if(drafts_, [&](const Draft& draft) {
      const auto fault = text::first_tag_fault(draft.sentence.tags, scheme);
      if (fault) {
        lines_->report_in(draft.sentence.file, ProblemKind::kBadTag, draft.lines[fault->position],
                          text_of(fault->reason, " (scheme ", text::name_of(scheme), ")"));
        return true;
      }
      return has_unknown_type(draft);
    });
  }

  bool has_unknown_type(const Draft& draft) {
    if (options_.types.empty()) return false;
    for (const text::Entity& entity : text::entities_of(draft.sentence.tags)) {
      if (std::find(options_.types.begin(), options_.types.end(), entity.type) !=
          options_.types.end()) {
        continue;
      }
      const std::string known = listed(options_.types);
      lines_->report_in(
          draft.sentence.file, ProblemKind::kUnknownLabel,
          draft.lines[static_cast<size_t>(entity.begin)],
          text_of("expected an entity of type ", known, ", found ", excerpt(entity.type, 30)));
      return true;
    }
    return false;
  }

  TextLines* lines_ = nullptr;
  const NerReadOptions& options_;
  LabelSet types_;
  std::optional<int64_t> said_column_;  // of the words
  std::vector<Draft> drafts_;
  size_t columns_ = 0;  // of the first row; 0: none yet
};

bool allows_all(const std::vector<NerSentence>& sentences, TagScheme scheme) {
  return std::none_of(sentences.begin(), sentences.end(), [&](const NerSentence& sentence) {
    return text::first_tag_fault(sentence.tags, scheme).has_value();
  });
}

}  // namespace

TagScheme scheme_of(const std::vector<NerSentence>& sentences) {
  for (const NerSentence& sentence : sentences) {
    for (const std::string& tag : sentence.tags) {
      if (tag.starts_with("E-") || tag.starts_with("S-")) return TagScheme::kBioes;
    }
  }
  if (allows_all(sentences, TagScheme::kBio)) return TagScheme::kBio;
  return allows_all(sentences, TagScheme::kIob1) ? TagScheme::kIob1 : TagScheme::kBio;
}

std::optional<int64_t> word_column_of(const std::string& number) {
  if (number.empty()) return {};
  const auto place = column_number(number, "--text-column");
  check_usage(place.has_value(),
              "--text-column: expected the number of the column with the words, got '", number,
              "'");
  return static_cast<int64_t>(*place) + 1;
}

FileLayout kind_of(TextLines& lines, const NerReadOptions& options) {
  FileLayout kind = lines.kind(options.format);
  check_usage(options.format == Format::kAuto || options.format == Format::kConll ||
                  options.format == Format::kJsonl || options.format == Format::kJson,
              "format: expected one of auto, conll, jsonl, json for words with tags, got ",
              name_of(options.format));
  if (kind.format != Format::kJsonl && kind.format != Format::kJson) kind.format = Format::kConll;
  return kind;
}

NerData read_ner(TextLines& lines, const NerReadOptions& options) {
  Reader reader(options);
  reader.read(lines);
  return reader.finish_all();
}

NerData read_ner(const std::vector<std::filesystem::path>& files, const NerReadOptions& options,
                 DataReport& report) {
  check_usage(!files.empty(), "expected at least one file, got none");
  Reader reader(options);
  std::unique_ptr<TextLines> lines;  // the last one is named where there is no sentence at all
  for (const std::filesystem::path& file : files) {
    lines = std::make_unique<TextLines>(
        file, TextLines::Options{.encoding = options.encoding, .limits = options.limits}, report);
    reader.read(*lines);
  }
  return reader.finish_all();
}

NerData read_ner(const std::filesystem::path& file, const NerReadOptions& options,
                 DataReport& report) {
  return read_ner(std::vector{file}, options, report);
}

NerData take_validation(NerData& train, double share, uint64_t seed, DataReport& report) {
  std::vector<SplitKey> keys;
  for (const NerSentence& sentence : train.sentences) {
    std::set<std::string> types;
    for (const text::Entity& entity : text::entities_of(sentence.tags)) types.insert(entity.type);
    SplitKey key;
    for (const std::string& type : types) key.kind += type + '\n';
    for (const std::string& word : sentence.words) key.group += word + '\n';
    keys.push_back(std::move(key));
  }
  NerData valid = {.file = train.file, .scheme = train.scheme, .types = train.types};
  valid.sentences = take_held_back(train.sentences, held_back(keys, share, seed));
  report.note(split_note(valid.sentences.size(), keys.size(), "sentences", seed));
  if (valid.sentences.empty()) {
    report.add(ProblemKind::kNoExamples, train.file, 0,
               "expected enough sentences to hold some back for validation; give a file with "
               "--valid");
  }
  return valid;
}

}  // namespace heed::data
