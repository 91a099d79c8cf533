// Labelled texts and sounds, tagged sentences, pairs and questions, read from files and checked.
#pragma once

#include "heed/data/data_report.h"
#include "heed/data/graphs/graph_data.h"
#include "heed/data/images/image_data.h"
#include "heed/data/images/object_data.h"
#include "heed/data/interactions/interaction_data.h"
#include "heed/data/length_buckets.h"
#include "heed/data/series/series_data.h"
#include "heed/data/sounds/sound_data.h"
#include "heed/data/split.h"
#include "heed/data/tables/table_data.h"
#include "heed/data/texts/classification_data.h"
#include "heed/data/texts/ner_data.h"
#include "heed/data/texts/parallel_data.h"
#include "heed/data/texts/question_data.h"
#include "heed/data/texts/question_split.h"
#include "heed/data/texts/text_data.h"
