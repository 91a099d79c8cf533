// Tokenizers made of a SentencePiece model, with the ids and rules that each class adds.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/directory/builders.h"
#include "heed/text/models/bpe.h"
#include "heed/text/models/unigram.h"
#include "heed/text/steps/subword_normalizers.h"

namespace heed::text {
namespace {

using Named = DirectorySettings::Named;
using ModelPiece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

constexpr const char* kMark = "▁";

struct Scored {
  std::string text;
  double score;
};

// What the model was trained for; the wrong one gives other ids, never an error later.
void expect(const SentencePieceModel& model, SentencePieceModel::Algorithm wanted,
            const std::string& file) {
  if (model.algorithm == wanted) return;
  const bool unigram = wanted == SentencePieceModel::Algorithm::kUnigram;
  throw DataError(file, text_of("field 'trainer_spec.model_type': expected ",
                                unigram ? "1 (unigram)" : "2 (BPE)",
                                ", as this tokenizer class has "
                                "it, found ",
                                static_cast<int>(model.algorithm)));
}

std::vector<Scored> scored(const SentencePieceModel& model, size_t from) {
  std::vector<Scored> pieces;
  for (size_t i = from; i < model.pieces.size(); ++i) {
    pieces.push_back({model.pieces[i].text, model.pieces[i].score});
  }
  return pieces;
}

ModelPointer unigram(const std::vector<Scored>& pieces, UnigramSettings settings,
                     const std::string& file) {
  std::vector<std::string> tokens;
  std::vector<double> scores;
  for (const Scored& piece : pieces) {
    tokens.push_back(piece.text);
    scores.push_back(piece.score);
  }
  try {
    return std::make_shared<Unigram>(Vocabulary(std::move(tokens)), std::move(scores), settings);
  } catch (const UsageError& error) {
    throw DataError(file, error.what());
  }
}

enum class MergeOrder : uint8_t {
  kById,     // of what is merged, over all pieces
  kByScore,  // the highest first, over the pieces of type kNormal
};

// SentencePiece does not store what is merged: any two pieces whose text together is a piece.
std::vector<Merge> merges_of(const SentencePieceModel& model, const Vocabulary& vocabulary,
                             MergeOrder order) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < vocabulary.size(); ++id) ids.push_back(id);
  const auto piece = [&](int32_t id) -> const ModelPiece& {
    return model.pieces[static_cast<size_t>(id)];
  };
  const auto merges = [&](int32_t id) {
    return id >= 0 && (order == MergeOrder::kById || piece(id).type == PieceType::kNormal);
  };
  if (order == MergeOrder::kByScore) {
    std::stable_sort(ids.begin(), ids.end(),
                     [&](int32_t a, int32_t b) { return piece(a).score > piece(b).score; });
  }
  std::vector<Merge> list;
  for (const int32_t id : ids) {
    if (!merges(id)) continue;
    const std::string_view text = vocabulary.token_of(id);
    size_t at = 0;
    for (next_code_point(text, at); at < text.size(); next_code_point(text, at)) {
      if (!merges(vocabulary.id_of(text.substr(0, at))) ||
          !merges(vocabulary.id_of(text.substr(at)))) {
        continue;
      }
      list.push_back({std::string(text.substr(0, at)), std::string(text.substr(at))});
    }
  }
  return list;
}

ModelPointer bpe(const SentencePieceModel& model, MergeOrder order, BpeSettings settings,
                 const std::string& file) {
  std::vector<std::string> tokens;
  for (const ModelPiece& piece : model.pieces) tokens.push_back(piece.text);
  try {
    Vocabulary vocabulary(std::move(tokens));
    std::vector<Merge> merges = merges_of(model, vocabulary, order);
    return std::make_shared<Bpe>(std::move(vocabulary), std::move(merges), std::move(settings));
  } catch (const UsageError& error) {
    throw DataError(file, error.what());
  }
}

Json metaspace(const char* scheme, bool split) {
  return {
      {"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", scheme}, {"split", split}};
}

Json replace(const Json& pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", pattern}, {"content", content}};
}

// Control pieces are special tokens; what the trainer's user defined is found in any text.
void add_pieces(DirectorySettings& settings, const SentencePieceModel& model, bool user_defined) {
  for (const ModelPiece& piece : model.pieces) {
    const bool control = piece.type == PieceType::kControl;
    if (!control && !(user_defined && piece.type == PieceType::kUserDefined)) continue;
    AddedToken token;
    token.content = piece.text;
    token.kind = control ? AddedToken::Kind::kSpecial : AddedToken::Kind::kOrdinary;
    settings.add_token(std::move(token));
  }
}

NormalizerPointer precompiled(const SentencePieceModel& model, const std::string& file) {
  if (model.charsmap.empty()) return nullptr;
  try {
    return precompiled_normalizer(model.charsmap);
  } catch (const UsageError& error) {
    throw DataError(
        file, text_of("field 'normalizer_spec.precompiled_charsmap': expected ", error.what()));
  }
}

// T5, ALBERT, XLM-RoBERTa and CamemBERT split at white space and mark every word.
void set_words(const DirectorySettings& settings, Tokenizer::Parts& parts) {
  const char* scheme = settings.flag("add_prefix_space", true) ? "always" : "never";
  parts.pre_tokenizer = pre_tokenizer_of(
      {{"type", "Sequence"},
       {"pretokenizers", Json::array({{{"type", "WhitespaceSplit"}}, metaspace(scheme, true)})}});
  parts.decoder = decoder_of(metaspace(scheme, true));
}

// "<s> A </s></s> B </s>", all of type 0.
PostProcessor doubled_separator(const DirectorySettings& settings,
                                std::span<const AddedToken> tokens) {
  const TemplatePart bos = special_part(settings, Named::kBos, tokens);
  const TemplatePart eos = special_part(settings, Named::kEos, tokens);
  return template_processor({bos, {.token = "A"}, eos},
                            {bos, {.token = "A"}, eos, eos, {.token = "B"}, eos});
}

// fairseq puts special tokens of its own, `front`, before the pieces from `first` on, and the mask
// behind them.
Tokenizer::Parts build_fairseq(DirectorySettings& settings, const SentencePieceModel& model,
                               const std::string& file, std::vector<Scored> front, size_t first) {
  std::vector<Scored> pieces = std::move(front);
  for (Scored& piece : scored(model, first)) pieces.push_back(std::move(piece));
  pieces.push_back({settings.content(Named::kMask), 0});
  Tokenizer::Parts parts;
  parts.normalizer = precompiled(model, file);
  parts.model = unigram(pieces, {.unknown_id = 3}, file);
  set_words(settings, parts);
  add_pieces(settings, model, true);
  add_tokens(settings, parts);
  parts.post_processor = doubled_separator(settings, parts.added.tokens());
  return parts;
}

// The piece i of the file has the id i + 1.
Tokenizer::Parts build_xlm_roberta(DirectorySettings& settings, const SentencePieceModel& model,
                                   const std::string& file) {
  std::vector<Scored> front;
  for (const Named name : {Named::kBos, Named::kPad, Named::kEos, Named::kUnk}) {
    front.push_back({settings.content(name), 0});
  }
  return build_fairseq(settings, model, file, std::move(front), 3);
}

// Five tokens in front: the piece i has the id i + 4.
Tokenizer::Parts build_camembert(DirectorySettings& settings, const SentencePieceModel& model,
                                 const std::string& file) {
  std::vector<Scored> front = {{"<s>NOTUSED", 0},
                               {settings.content(Named::kPad), 0},
                               {"</s>NOTUSED", 0},
                               {settings.content(Named::kUnk), 0},
                               {"<unk>NOTUSED", -100}};
  settings.set_lstrip(Named::kMask);
  return build_fairseq(settings, model, file, std::move(front), 1);
}

// "<extra_id_99>" ... "<extra_id_0>" follow the pieces.
Tokenizer::Parts build_t5(DirectorySettings& settings, const SentencePieceModel& model,
                          const std::string& file) {
  std::vector<Scored> pieces = scored(model, 0);
  add_pieces(settings, model, true);
  for (int64_t i = settings.count("extra_ids", 100); i-- > 0;) {
    pieces.push_back({text_of("<extra_id_", i, ">"), 0});
    AddedToken token;
    token.content = pieces.back().text;
    settings.add_token(std::move(token));
  }
  Tokenizer::Parts parts;
  parts.normalizer = precompiled(model, file);
  parts.model = unigram(pieces, {.unknown_id = 2}, file);
  set_words(settings, parts);
  add_tokens(settings, parts);
  const TemplatePart eos = special_part(settings, Named::kEos, parts.added.tokens());
  parts.post_processor =
      template_processor({{.token = "A"}, eos}, {{.token = "A"}, eos, {.token = "B"}, eos});
  return parts;
}

Tokenizer::Parts build_albert(DirectorySettings& settings, const SentencePieceModel& model,
                              const std::string& file) {
  std::vector<NormalizerPointer> normalizers = {
      normalizer_of(replace({{"String", "``"}}, "\"")),
      normalizer_of(replace({{"String", "''"}}, "\"")),
  };
  if (!settings.flag("keep_accents", false)) {
    normalizers.push_back(normalizer_named("NFKD"));
    normalizers.push_back(normalizer_named("StripAccents"));
  }
  if (settings.flag("do_lower_case", true)) normalizers.push_back(normalizer_named("Lowercase"));
  if (NormalizerPointer table = precompiled(model, file)) normalizers.push_back(std::move(table));
  Tokenizer::Parts parts;
  parts.normalizer = normalizer_sequence(std::move(normalizers));
  parts.model = unigram(scored(model, 0), {.unknown_id = 1}, file);
  set_words(settings, parts);
  add_pieces(settings, model, true);
  add_tokens(settings, parts);
  parts.post_processor = bert_processor(special_part(settings, Named::kCls, parts.added.tokens()),
                                        special_part(settings, Named::kSep, parts.added.tokens()));
  return parts;
}

// "▁" to blanks, "<0x41>" to bytes; with `strip` the blank at the start of the text goes.
DecoderPointer piece_decoder(bool bytes, bool strip) {
  Json list = Json::array({replace({{"String", kMark}}, " ")});
  if (bytes) list.push_back({{"type", "ByteFallback"}});
  if (bytes || strip) list.push_back({{"type", "Fuse"}});
  if (strip) list.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return decoder_of({{"type", "Sequence"}, {"decoders", list}});
}

Tokenizer::Parts build_llama(DirectorySettings& settings, const SentencePieceModel& model,
                             const std::string& file) {
  const bool prefix = settings.flag("add_prefix_space", true);
  const char* scheme = !prefix ? "never" : settings.flag("legacy", false) ? "always" : "first";
  Tokenizer::Parts parts;
  parts.model = bpe(model, MergeOrder::kById,
                    {.unknown_token = {}, .fuse_unknown = true, .byte_fallback = true}, file);
  parts.pre_tokenizer = pre_tokenizer_of(metaspace(scheme, false));
  parts.decoder = piece_decoder(true, prefix);
  add_pieces(settings, model, true);
  add_tokens(settings, parts);
  parts.post_processor = ends_processor(settings, parts.added.tokens());
  return parts;
}

Tokenizer::Parts build_gemma(DirectorySettings& settings, const SentencePieceModel& model,
                             const std::string& file) {
  Tokenizer::Parts parts;
  parts.normalizer = normalizer_of(replace({{"String", " "}}, kMark));
  parts.model = bpe(
      model, MergeOrder::kById,
      {.unknown_token = settings.content(Named::kUnk), .fuse_unknown = true, .byte_fallback = true},
      file);
  parts.pre_tokenizer = pre_tokenizer_of({{"type", "Split"},
                                          {"pattern", {{"String", " "}}},
                                          {"behavior", "MergedWithPrevious"},
                                          {"invert", false}});
  parts.decoder = piece_decoder(true, false);
  add_pieces(settings, model, true);
  add_tokens(settings, parts);
  parts.post_processor = ends_processor(settings, parts.added.tokens());
  return parts;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-&~# \t\n\r\v\f").find(c) != std::string_view::npos) {
      result += '\\';
    }
    result += c;
  }
  return result;
}

// Any other class: what SentencePiece itself would do, as far as the parts of tokenizer.json go.
Tokenizer::Parts build_plain(DirectorySettings& settings, const SentencePieceModel& model,
                             const std::string& file) {
  if (model.bos_id >= 0) settings.set_default(Named::kBos, model.bos_piece);
  if (model.eos_id >= 0) settings.set_default(Named::kEos, model.eos_piece);
  settings.set_default(Named::kUnk, model.unk_piece);
  std::vector<std::string> user_defined;
  for (const ModelPiece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined) user_defined.push_back(piece.text);
  }
  std::stable_sort(user_defined.begin(), user_defined.end(),
                   [](const auto& a, const auto& b) { return code_points(a) > code_points(b); });
  const bool legacy = settings.flag("legacy", true);

  std::vector<NormalizerPointer> normalizers;
  if (NormalizerPointer table = precompiled(model, file)) normalizers.push_back(std::move(table));
  if (model.remove_extra_whitespaces) {
    normalizers.push_back(normalizer_of(replace({{"Regex", R"(\A +| +\z)"}}, "")));
    normalizers.push_back(normalizer_of(replace({{"Regex", " {2,}"}}, " ")));
  }
  if (model.escape_whitespaces) {
    normalizers.push_back(normalizer_of(replace({{"String", " "}}, kMark)));
  }
  if (model.add_dummy_prefix && legacy) {
    normalizers.push_back(normalizer_of(replace({{"Regex", R"(\A▁)"}}, "▁▁")));
  }
  Json splits = Json::array();
  if (model.add_dummy_prefix) splits.push_back(metaspace(legacy ? "always" : "first", false));
  if (!user_defined.empty()) {
    splits.push_back({{"type", "Split"},
                      {"pattern", {{"Regex", joined(user_defined, "|", escaped)}}},
                      {"behavior", "Isolated"},
                      {"invert", false}});
  }
  Tokenizer::Parts parts;
  parts.normalizer = normalizer_sequence(std::move(normalizers));
  if (!splits.empty()) {
    parts.pre_tokenizer = pre_tokenizer_of({{"type", "Sequence"}, {"pretokenizers", splits}});
  }
  if (model.algorithm == SentencePieceModel::Algorithm::kUnigram) {
    parts.model = unigram(scored(model, 0),
                          {.unknown_id = model.unk_id, .byte_fallback = model.byte_fallback}, file);
  } else {
    parts.model = bpe(model, MergeOrder::kByScore,
                      {.unknown_token = model.unk_piece,
                       .fuse_unknown = true,
                       .byte_fallback = model.byte_fallback,
                       .ignore_merges = !user_defined.empty()},
                      file);
  }
  parts.decoder = piece_decoder(model.byte_fallback, model.add_dummy_prefix);
  add_pieces(settings, model, false);
  add_tokens(settings, parts);
  parts.post_processor = ends_processor(settings, parts.added.tokens());
  return parts;
}

}  // namespace

Tokenizer::Parts build_sentencepiece(DirectorySettings& settings, SentencePieceModel model,
                                     const std::string& file) {
  using Build =
      Tokenizer::Parts (*)(DirectorySettings&, const SentencePieceModel&, const std::string&);
  using Algorithm = SentencePieceModel::Algorithm;
  struct Class {
    const char* name;
    Build build;
    Algorithm algorithm;
  };
  static constexpr Class kClasses[] = {
      {"AlbertTokenizer", build_albert, Algorithm::kUnigram},
      {"CamembertTokenizer", build_camembert, Algorithm::kUnigram},
      {"T5Tokenizer", build_t5, Algorithm::kUnigram},
      {"MT5Tokenizer", build_t5, Algorithm::kUnigram},
      {"XLMRobertaTokenizer", build_xlm_roberta, Algorithm::kUnigram},
      {"GemmaTokenizer", build_gemma, Algorithm::kBpe},
      {"LlamaTokenizer", build_llama, Algorithm::kBpe},
  };
  for (const Class& known : kClasses) {
    if (settings.tokenizer_class() != known.name) continue;
    expect(model, known.algorithm, file);
    settings.set_defaults_of(known.name);
    return known.build(settings, model, file);
  }
  return build_plain(settings, model, file);
}

}  // namespace heed::text
