// The architectures, one a file of this folder but for those that share a form.
#pragma once

#include "heed/models/published/architecture.h"

namespace heed::models::published {

Architecture albert();
Architecture bart();
Architecture bert();
Architecture camembert();
Architecture distilbert();
Architecture electra();
Architecture gemma2();
Architecture gpt2();
Architecture gpt_neox();
Architecture llama();
Architecture marian();
Architecture mistral();
Architecture modernbert();
Architecture qwen2();
Architecture qwen3();
Architecture roberta();
Architecture t5();
Architecture vit();
Architecture whisper();
Architecture xlm_roberta();

}  // namespace heed::models::published
