// What trained models do with texts, and the tasks that training::train learns.
#pragma once

#include "heed/tasks/classify.h"
#include "heed/tasks/encoder_decoder_decoder.h"
#include "heed/tasks/entity_recognition.h"
#include "heed/tasks/forecast_baselines.h"
#include "heed/tasks/forecasting.h"
#include "heed/tasks/language_model_decoder.h"
#include "heed/tasks/language_modelling.h"
#include "heed/tasks/ranking_baselines.h"
#include "heed/tasks/ranking_evaluation.h"
#include "heed/tasks/recommendation.h"
#include "heed/tasks/sequence_to_sequence.h"
#include "heed/tasks/short_series.h"
#include "heed/tasks/span_questions.h"
#include "heed/tasks/story_questions.h"
#include "heed/tasks/task.h"
#include "heed/tasks/text_classification.h"
