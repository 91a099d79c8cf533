// Reports as pages for people.
#pragma once

#include "heed/doctor/finding.h"
#include "heed/viz/report_page.h"

namespace heed::cli {

// `title`: what was examined.
ReportPage page_of(const doctor::Report& report, const std::string& title);

}  // namespace heed::cli
