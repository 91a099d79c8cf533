// Texts to token ids and back, vocabularies learnt from texts, words, sentences, tags of entities.
#pragma once

#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"
#include "heed/text/published_tokenizers.h"
#include "heed/text/tokenizer.h"
#include "heed/text/tokenizer_directory.h"
#include "heed/text/words/entity_tags.h"
#include "heed/text/words/sentences.h"
#include "heed/text/words/word_shape.h"
#include "heed/text/words/word_split.h"
