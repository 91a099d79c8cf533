// The four Unicode normalisation forms (UAX #15), as Unicode 9 defines them: a character that was
// added later stays as it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "heed/text/characters/aligned_text.h"

namespace heed::text {

enum class Form : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

// "NFC", ...
std::string_view name_of(Form form);

// The origin of each character is that of the `tokenizers` package: what is composed has that of
// its first part.
void normalize_unicode(AlignedText& text, Form form);

}  // namespace heed::text
