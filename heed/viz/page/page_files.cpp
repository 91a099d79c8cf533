#include "heed/viz/page/page_files.h"

#include <heed_page_files.h>  // written by the build: a string for each file

namespace heed::page_files {

std::string_view html() { return embedded::page_html; }
std::string_view style() { return embedded::page_css; }
std::string_view report_style() { return embedded::report_css; }
std::string_view live_script() { return embedded::live_js; }
std::vector<std::string_view> scripts() {
  return {embedded::data_js,   embedded::lines_js,   embedded::heads_js,
          embedded::matrix_js, embedded::picture_js, embedded::main_js};
}

}  // namespace heed::page_files
