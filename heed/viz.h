// Pictures: heat maps, curves, sounds, text shaded by weights.
#pragma once

#include "heed/viz/attention_page.h"
#include "heed/viz/curves.h"
#include "heed/viz/heat_map.h"
#include "heed/viz/marked_text.h"
#include "heed/viz/node_star.h"
#include "heed/viz/picture_overlay.h"
#include "heed/viz/report_page.h"
#include "heed/viz/sound_picture.h"
#include "heed/viz/terminal.h"
