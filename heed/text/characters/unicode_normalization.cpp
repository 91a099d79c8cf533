#include "heed/text/characters/unicode_normalization.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <memory>
#include <string>

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
  icu::Edits edits;
  UErrorCode status = U_ZERO_ERROR;
  forms.normalizeUTF8(0, icu::StringPiece(old.data(), static_cast<int32_t>(old.size())), sink,
                      &edits, status);
  check_icu(status, "normalise a text");
  if (!edits.hasChanges()) return;

  Rewrite rewrite(text);
  icu::Edits::Iterator edit = edits.getFineIterator();
  while (edit.next(status)) {
    const auto begin = static_cast<uint32_t>(edit.sourceIndex());
    const Span range = {begin, begin + static_cast<uint32_t>(edit.oldLength())};
    if (!edit.hasChange()) {
      rewrite.keep(range);
    } else {
      rewrite.put(std::string_view(normalized).substr(edit.destinationIndex(), edit.newLength()),
                  range);
    }
  }
  check_icu(status, "compare a normalised text");
  rewrite.finish();
}

}  // namespace heed::text
