// The files of this folder as the build wrote them into the library (cmake/HeedEmbed.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace heed::page_files {

std::string_view html();
std::string_view style();
std::string_view report_style();
std::string_view live_script();
std::vector<std::string_view> scripts();  // in the order in which they need each other

}  // namespace heed::page_files
