// What the files beside a vocabulary say of a tokenizer: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and config.json.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/added_vocabulary.h"
#include "heed/text/post_processor.h"
#include "heed/text/tokenizer.h"
#include "heed/text/vocabulary.h"

namespace heed::text {

class DirectorySettings {
 public:
  // The named tokens, in the order in which they get ids.
  enum class Named : uint8_t { kBos, kEos, kUnk, kSep, kPad, kCls, kMask };
  static constexpr size_t kNamedTokens = 7;

  // MissingInputError: there is no such directory. DataError: one of the files is malformed.
  explicit DirectorySettings(const std::filesystem::path& directory);

  // The path of a file of the directory, counted among those that were read.
  std::filesystem::path use(const char* file);
  bool has(const char* file) const;
  const std::filesystem::path& directory() const { return directory_; }
  const std::vector<std::filesystem::path>& used() const { return used_; }

  // "BertTokenizer", never "BertTokenizerFast"; empty: neither file says it.
  const std::string& tokenizer_class() const { return tokenizer_class_; }

  // A setting of tokenizer_config.json; `otherwise` where it is absent or null.
  std::optional<bool> flag(const char* name) const;
  bool flag(const char* name, bool otherwise) const { return flag(name).value_or(otherwise); }
  int64_t count(const char* name, int64_t otherwise) const;
  std::optional<std::string> string(const char* name) const;

  // The tokens that tokenizers have by themselves, where the files do not name others: those of a
  // class, "BertTokenizer" (of one that is not known: none), or these.
  void set_defaults_of(std::string_view tokenizer_class);
  void set_default(Named name, const std::string& content);

  // Gives the white space before it to a named token of which no file says more than its text.
  void set_lstrip(Named name);

  // null: there is none.
  const AddedToken* named(Named name) const;
  // DataError: there is none.
  const std::string& content(Named name) const;

  // Special or ordinary tokens that the vocabulary's own file lists, in their order.
  void add_token(AddedToken token) { own_.push_back(std::move(token)); }

  // All tokens of the files with their ids: those that the vocabulary gives them, otherwise the
  // next that are free. DataError: a file gives a token another id.
  std::vector<AddedToken> added_tokens(const Vocabulary& vocabulary) const;

  // See LoadedTokenizer.
  std::optional<int32_t> max_length() const;
  std::optional<std::string> side(const char* name) const;

 private:
  void read_named(const JsonValue& json);
  void read_added(const JsonValue& config);

  std::filesystem::path directory_;
  std::vector<std::filesystem::path> used_;
  std::optional<JsonValue> config_;  // tokenizer_config.json
  std::string tokenizer_class_;

  struct Name {
    bool given = false;  // by a file, be it as null
    bool only_text = true;
    std::optional<AddedToken> token;
  };
  std::array<Name, kNamedTokens> named_;
  std::vector<AddedToken> listed_;  // added_tokens_decoder or added_tokens.json, with their ids
  std::vector<AddedToken> extra_;   // additional_special_tokens
  std::vector<AddedToken> own_;
};

// bos and eos around a text and, once more and with type 1, around the second of a pair, as
// add_bos_token and add_eos_token say.
PostProcessor ends_processor(const DirectorySettings& settings, std::span<const AddedToken> tokens);

// The id of one of the named tokens among `tokens`. DataError: it is not there.
TemplatePart special_part(const DirectorySettings& settings, DirectorySettings::Named name,
                          std::span<const AddedToken> tokens, int32_t type_id = 0);

}  // namespace heed::text
