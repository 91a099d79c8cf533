// How well a model does: classes, entities, translations, summaries, answers, language models.
#pragma once

#include "heed/metrics/answers.h"
#include "heed/metrics/bleu.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/classification.h"
#include "heed/metrics/detection.h"
#include "heed/metrics/entities.h"
#include "heed/metrics/error_rates.h"
#include "heed/metrics/language.h"
#include "heed/metrics/ranking.h"
#include "heed/metrics/relevance.h"
#include "heed/metrics/rouge.h"
#include "heed/metrics/separation.h"
#include "heed/metrics/series.h"
#include "heed/metrics/threshold.h"
