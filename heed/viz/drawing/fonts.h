// The fonts of Heed's pictures.
#pragma once

#include "heed/viz/drawing/drawn_text.h"

namespace heed {

inline constexpr Font kTitleFont{.size = 13, .bold = true};
inline constexpr Font kPanelFont{.size = 10, .bold = true};
inline constexpr Font kAxisFont{.size = 9.5};
inline constexpr Font kTickFont{.size = 9};

}  // namespace heed
