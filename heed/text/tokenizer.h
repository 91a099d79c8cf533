// Text to token ids and back: normaliser → pre-tokenizer → model → truncation → special tokens
// around it, as one immutable object that any number of threads may use at once.
//
// A tokenizer is stored as Hugging Face's `tokenizer.json` ("version": "1.0"). Whatever is loaded
// here gives the ids that the `tokenizers` package gives, but for one thing: special tokens that a
// text spells are text, unless the caller says otherwise (Specials). What Heed does not implement
// is refused by name, never skipped.
//
// Texts are UTF-8; every function that takes one throws DataError where it is not. Offsets are in
// bytes of the text as it was given, whatever normalisation did to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

// The tokens of a text or of a pair of texts. The vectors have the same length.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;   // as the vocabulary spells them: "[UNK]" for an unknown word
  std::vector<Span> offsets;         // bytes of its text that the token stands for
  std::vector<int32_t> type_ids;     // token_type_ids: mostly 0, and 1 in the second text
  std::vector<int8_t> sequence_ids;  // the text that it is of: 0 or 1; kAround: of none
  static constexpr int8_t kAround = -1;  // a special token that was put around the texts

  // 1 for the special tokens around the texts, 0 for all others.
  std::vector<uint8_t> special_tokens_mask() const;
};

// The same without what the tokens stand for.
struct EncodedIds {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
};

// A token that is found in the text before anything else looks at it, such as "[MASK]".
struct AddedToken {
  std::string content;
  int32_t id = 0;
  enum class Kind : uint8_t { kOrdinary, kSpecial } kind = Kind::kSpecial;  // decode skips special
  struct Matching {
    bool single_word = false;  // only where no letter or digit touches it
    bool lstrip = false;       // takes the white space before it along
    bool rstrip = false;       // and after it
    bool normalized = false;   // is looked for in the normalised text
  } matching;
};

// Whether the special tokens that stand around every text ("[CLS]", "[SEP]"), where the tokenizer
// has some, are added. Their offsets are empty.
enum class Surround : uint8_t { kYes, kNo };

// What the spelling of a special token inside a text is, such as "<|endoftext|>" or "[PAD]".
enum class Specials : uint8_t {
  kAsText,    // text like any other: no special token ever comes of it
  kAsTokens,  // the special token, as in the `tokenizers` package: for texts of those you trust
};

// The side on which a text that is too long loses tokens.
enum class TruncationSide : uint8_t { kRight, kLeft };

class Tokenizer {
 public:
  // Reads a tokenizer.json. Throws MissingInputError, IoError, or DataError, which names the file
  // and the field.
  static Tokenizer load(const std::filesystem::path& file);

  // The same from the text of such a file; `where` stands in front of the message of an error.
  static Tokenizer from_json(std::string_view json, std::string_view where = "tokenizer.json");

  // The text of a tokenizer.json; from_json of it is an equal tokenizer.
  std::string to_json() const;

  // Writes it, atomically. Throws IoError.
  void save(const std::filesystem::path& file) const;

  // Ids, token strings, offsets and type ids of `text`.
  Encoding encode(std::string_view text, Surround surround = Surround::kYes) const;

  // The ids alone: the fast way.
  std::vector<int32_t> encode_ids(std::string_view text, Surround surround = Surround::kYes) const;

  // As encode_ids, into `ids`, whose old content is replaced and whose memory is used again.
  void encode_ids(std::string_view text, std::vector<int32_t>& ids,
                  Surround surround = Surround::kYes) const;

  // A pair of texts, such as a question and a passage, with the special tokens and type ids that
  // the tokenizer gives pairs. Together they are cut to max_length: the longer one first, or as
  // the file says. DataError: it may cut only one of them, and that is too short.
  Encoding encode_pair(std::string_view first, std::string_view second,
                       Surround surround = Surround::kYes) const;
  EncodedIds encode_pair_ids(std::string_view first, std::string_view second,
                             Surround surround = Surround::kYes) const;

  // The text that the ids stand for, special tokens left out. Throws UsageError for an id outside
  // [0, size()).
  std::string decode(std::span<const int32_t> ids) const;

  // One more than the largest id: the number of rows of an embedding table.
  int32_t size() const;

  // The id of a token of the vocabulary or an added token.
  std::optional<int32_t> id_of(std::string_view token) const;

  // The spelling of an id. Throws UsageError for an id outside [0, size()).
  const std::string& token_of(int32_t id) const;

  // The id that stands for padding: that of "padding" in the file, otherwise of the added token
  // "[PAD]", "<pad>" or "<|padding|>"; none if there is none of them.
  std::optional<int32_t> padding_id() const;

  // The id that stands for an unknown word, where the model has one.
  std::optional<int32_t> unknown_id() const;

  // In the order of their ids.
  std::span<const AddedToken> added_tokens() const;

  // At most this many ids come out of encode; none: any number. A file that fixes a length to which
  // texts are padded is read all the same; padding is the business of batches.
  std::optional<int32_t> max_length() const;

  // The same tokenizer with another limit, cutting on the same side or on this one. Throws
  // UsageError unless the limit is at least 1.
  Tokenizer with_max_length(std::optional<int32_t> max_length,
                            std::optional<TruncationSide> side = {}) const;

  // The same tokenizer that reads the special tokens in a text as this says. Every tokenizer begins
  // with Specials::kAsText; a file does not hold it.
  Tokenizer with_specials(Specials specials) const;

  // The name of the model: "WordLevel", "BPE", "WordPiece", "Unigram".
  std::string_view model_type() const;

  struct Parts;  // heed/text/tokenizer_parts.h: for builders of tokenizers
  explicit Tokenizer(Parts parts);

 private:
  // `second` may be null.
  Encoding encode_texts(std::string_view first, const std::string_view* second,
                        Surround surround) const;

  std::shared_ptr<const Parts> parts_;
};

}  // namespace heed::text
