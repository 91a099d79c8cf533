#include "heed/text/characters/unicode_normalization.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

void check_icu(UErrorCode status, const char* step) {
  if (U_FAILURE(status)) {
    throw Error(text_of("ICU cannot ", step, ": ", u_errorName(status),
                        "; expected a complete installation of ICU with its data"));
  }
}

const icu::Normalizer2* whole_normalizer(Form form, UErrorCode& status) {
  switch (form) {
    case Form::kNfc:
      return icu::Normalizer2::getNFCInstance(status);
    case Form::kNfd:
      return icu::Normalizer2::getNFDInstance(status);
    case Form::kNfkc:
      return icu::Normalizer2::getNFKCInstance(status);
    case Form::kNfkd:
      return icu::Normalizer2::getNFKDInstance(status);
  }
  return nullptr;
}

// The normaliser of one form that leaves alone what came after Unicode 9.
const icu::Normalizer2& make_normalizer(Form form) {
  UErrorCode status = U_ZERO_ERROR;
  // Never destroyed: they are used until the process ends.
  auto* unicode9 = new icu::UnicodeSet(icu::UnicodeString("[:age=9.0:]"), status);
  const icu::Normalizer2* whole = whole_normalizer(form, status);
  check_icu(status, "normalise");
  unicode9->freeze();
  return *new icu::FilteredNormalizer2(*whole, *unicode9);
}

const icu::Normalizer2& normalizer(Form form) {
  switch (form) {
    case Form::kNfc: {
      static const icu::Normalizer2& nfc = make_normalizer(Form::kNfc);
      return nfc;
    }
    case Form::kNfd: {
      static const icu::Normalizer2& nfd = make_normalizer(Form::kNfd);
      return nfd;
    }
    case Form::kNfkc: {
      static const icu::Normalizer2& nfkc = make_normalizer(Form::kNfkc);
      return nfkc;
    }
    default: {
      static const icu::Normalizer2& nfkd = make_normalizer(Form::kNfkd);
      return nfkd;
    }
  }
}

// The same text one character at a time, as UAX #15 describes it: decomposed, its marks in order,
// and composed again. It tells where each character came from, as the package does it: a
// decomposed character is its first part, and what follows was inserted; parts keep that when they
// are put in order; a composed character stands where its first part stood. ICU's own edits name
// only the place of everything that composes or moves together.
class ByCharacter {
 public:
  explicit ByCharacter(const icu::Normalizer2& forms) : forms_(&forms) {}

  std::vector<CharacterChange> decomposed(std::string_view text) const {
    std::vector<CharacterChange> changes;
    size_t ordered = 0;  // changes before it stand in their order
    const auto order = [&] {
      std::stable_sort(changes.begin() + static_cast<std::ptrdiff_t>(ordered), changes.end(),
                       [&](const CharacterChange& a, const CharacterChange& b) {
                         return class_of(a.c) < class_of(b.c);
                       });
      ordered = changes.size();
    };
    icu::UnicodeString parts;
    for (size_t at = 0; at < text.size();) {
      const char32_t c = next_code_point(text, at);
      if (!forms_->getDecomposition(icu(c), parts)) parts = icu(c);
      for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
        const auto part = static_cast<char32_t>(parts.char32At(i));
        if (class_of(part) == 0) order();
        changes.push_back({part, i == 0 ? 0 : 1});
      }
    }
    order();
    return changes;
  }

  std::vector<CharacterChange> composed(std::vector<CharacterChange> changes) const {
    size_t written = 0;
    size_t starter = kNone;  // what marks compose with
    uint8_t last_class = 0;  // of the marks that stand after it
    for (const CharacterChange change : changes) {
      const uint8_t its_class = class_of(change.c);
      const bool reaches = starter != kNone && (starter + 1 == written || last_class < its_class);
      if (reaches) {
        const UChar32 both = forms_->composePair(icu(changes[starter].c), icu(change.c));
        if (both >= 0) {
          changes[starter].c = static_cast<char32_t>(both);
          changes[starter].shift += change.shift - 1;
          continue;
        }
      }
      if (its_class == 0) starter = written;
      last_class = its_class;
      changes[written++] = change;
    }
    changes.resize(written);
    return changes;
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  static UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }
  uint8_t class_of(char32_t c) const {
    return c < 0x300 ? uint8_t{0} : forms_->getCombiningClass(icu(c));
  }

  const icu::Normalizer2* forms_;
};

}  // namespace

std::string_view name_of(Form form) {
  switch (form) {
    case Form::kNfc:
      return "NFC";
    case Form::kNfd:
      return "NFD";
    case Form::kNfkc:
      return "NFKC";
    case Form::kNfkd:
      return "NFKD";
  }
  return "";
}

void normalize_unicode(AlignedText& text, Form form) {
  if (is_ascii(text.text())) return;
  const icu::Normalizer2& forms = normalizer(form);
  const std::string_view old = text.text();
  std::string normalized;
  icu::StringByteSink<std::string> sink(&normalized, static_cast<int32_t>(old.size()));
  UErrorCode status = U_ZERO_ERROR;
  forms.normalizeUTF8(0, icu::StringPiece(old.data(), static_cast<int32_t>(old.size())), sink,
                      nullptr, status);
  check_icu(status, "normalise a text");
  if (normalized == old) return;
  if (!text.is_tracked()) {
    Rewrite rewrite(text);
    rewrite.put(normalized, {});
    rewrite.finish();
    return;
  }
  const ByCharacter by_character(forms);
  const bool composes = form == Form::kNfc || form == Form::kNfkc;
  std::vector<CharacterChange> changes = by_character.decomposed(old);
  text.rewrite(composes ? by_character.composed(std::move(changes)) : changes);
}

}  // namespace heed::text
