// The version of this library, as "1.2.3".
#pragma once

namespace heed {

const char* version();

}  // namespace heed
