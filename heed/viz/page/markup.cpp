#include "heed/viz/page/markup.h"

#include <glib.h>

namespace heed {

std::string escaped_markup(std::string_view text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  gchar* coded = g_markup_escape_text(valid, -1);
  std::string result(coded);
  g_free(coded);
  g_free(valid);
  return result;
}

std::string base64_of(std::span<const unsigned char> bytes) {
  gchar* coded = g_base64_encode(bytes.data(), bytes.size());
  std::string text(coded);
  g_free(coded);
  return text;
}

std::string base64_of(std::string_view bytes) {
  return base64_of(std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace heed
