// Whole networks, and the directories in which they are saved and found again.
#pragma once

#include "heed/models/files/encoder_decoder_files.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/models/files/image_classifier_files.h"
#include "heed/models/files/image_generator_files.h"
#include "heed/models/files/language_model_files.h"
#include "heed/models/files/object_detector_files.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/files/recommender_files.h"
#include "heed/models/files/speech_classifier_files.h"
#include "heed/models/files/speech_recogniser_files.h"
#include "heed/models/files/table_transformer_files.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/models/files/token_tagger_files.h"
#include "heed/models/published/preprocessor.h"
#include "heed/models/published/published.h"
