#pragma once

// Makes heed::NamedScore{"squared_distance", width (H)} known. Once, before it is used.
void add_squared_distance();
